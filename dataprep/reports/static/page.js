"use strict";
/** What the scripts of all pages use. */
const shared = (() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  /** Letters that cannot be seen, or that turn the reading direction, written out. */
  const visible = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => "\\u{" + c.codePointAt(0).toString(16) + "}");

  /** An element with attributes and children; text never becomes markup. */
  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) if (value !== false) made.setAttribute(name, value === true ? "" : value);
    made.append(...children.filter((child) => child !== null && child !== ""));
    return made;
  };
  const icon = (name, kind = "") => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", "#i-" + name);
    svg.setAttribute("aria-hidden", "true");
    if (kind) svg.setAttribute("class", kind);
    svg.append(use);
    return svg;
  };

  let toastTimer = 0;
  const toast = (text) => {
    $("#toast").textContent = text;
    $("#toast").classList.add("on");
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => $("#toast").classList.remove("on"), 1800);
  };
  const copy = async (text, what) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch (_) {
      const area = element("textarea", { class: "hidden", "aria-hidden": "true" });
      area.value = text;
      (document.querySelector("dialog[open]") || document.body).append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    toast(what);
  };
  return { $, $$, visible, element, icon, toast, copy };
})();
