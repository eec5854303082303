"use strict";
(() => {
  const { $, $$, visible, element, icon, toast, copy } = shared;
  const boot = JSON.parse($("#boot").textContent);
  const thumbs = JSON.parse($("#thumbs").textContent);
  const count = new Intl.NumberFormat("en");

  /* ---------- thumbnails: decoded when they come near ---------- */
  const draw = (image) => {
    const data = thumbs[image.dataset.thumb];
    if (data) image.src = "data:image/jpeg;base64," + data;
    else image.remove();
  };
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { draw(entry.target); near.unobserve(entry.target); }
  }, { rootMargin: "800px" });
  $$("img[data-thumb]").forEach((image) => near.observe(image));
  let scheme = "";
  addEventListener("beforeprint", () => {
    $$("img[data-thumb]:not([src])").forEach(draw);
    scheme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
  });
  addEventListener("afterprint", () => { document.documentElement.dataset.theme = scheme; });

  /* ---------- navigation ---------- */
  const links = new Map($$("#nav a").map((link) => [link.hash.slice(1), link]));
  let current = null;
  const mark = () => {
    let best = null;
    for (const [id, link] of links) {
      const place = document.getElementById(id);
      if (place && place.getBoundingClientRect().top < innerHeight * 0.3) {
        if (!best || place.getBoundingClientRect().top > best.top) best = { link, top: place.getBoundingClientRect().top };
      }
    }
    const link = best ? best.link : links.get("overview");
    if (link === current) return;
    if (current) current.removeAttribute("aria-current");
    current = link;
    current.setAttribute("aria-current", "true");
    const side = $(".side");
    const top = link.offsetTop - side.offsetTop;
    if (side.scrollHeight > side.clientHeight && (top < side.scrollTop + 60 || top > side.scrollTop + side.clientHeight - 60)) {
      side.scrollTop = top - side.clientHeight / 2;
    }
  };
  let marking = false;
  addEventListener("scroll", () => {
    if (!marking) { marking = true; requestAnimationFrame(() => { marking = false; mark(); }); }
  }, { passive: true });
  mark();
  const menu = $("#menu");
  const openMenu = (open) => { menu.setAttribute("aria-expanded", String(open)); $(".side").classList.toggle("open", open); };
  menu.addEventListener("click", () => openMenu(menu.getAttribute("aria-expanded") !== "true"));
  $("#nav").addEventListener("click", (event) => { if (event.target.closest("a")) openMenu(false); });

  const theme = $("#theme");
  const showTheme = () => theme.setAttribute("aria-pressed", String(document.documentElement.dataset.theme === "dark"));
  theme.addEventListener("click", () => window.toggleTheme());
  addEventListener("themechange", showTheme);
  showTheme();

  /* ---------- the claims ---------- */
  let claims = null;
  let view = new Int32Array(0);
  let haystack = null;
  const text = (table, number) => (number < 0 ? "" : table[number]);
  const target = (row) => text(claims.names, claims.target[row]);
  const related = (row) => text(claims.names, claims.related[row]);
  const label = (row) => (claims.target[row] < 0 ? "" : text(claims.labels, claims.labelOf[claims.target[row]] ?? -1));
  const split = (row) => (claims.target[row] < 0 ? "" : text(claims.splits, claims.splitOf[claims.target[row]] ?? -1));
  const check = (row) => text(claims.checks, claims.check[row]);
  const severity = (row) => text(claims.severities, claims.severity[row]);
  const titleOf = (code) => (boot.checks[code] ? boot.checks[code][0] : code);
  const isFile = (number) => number >= 0 && (claims.ofFile === "all" || claims.files.has(number));

  /** Base64 as bytes. */
  const bytesOf = (packed) => Uint8Array.from(atob(packed.trim()), (c) => c.charCodeAt(0));
  /** The compressed data of an element, which goes away. */
  const unpacked = async (holder) => {
    const stream = new Blob([bytesOf(holder.textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
    holder.remove();
    return JSON.parse(await new Response(stream).text());
  };
  const unpack = async () => {
    claims = await unpacked($("#claims"));
    if (claims.ofFile !== "all") claims.files = new Set(claims.ofFile);
  };

  /* ---------- the table: only the rows in sight exist ---------- */
  const state = { query: "", check: "", severity: "", label: "", split: "", sort: "", down: false };
  const viewport = $("#viewport");
  const body = $("#rows");
  const ROW = matchMedia("(max-width: 700px)").matches ? 64 : 44;
  const EXTRA = 8;
  let active = -1;

  const searchable = () => {
    if (!haystack) {
      haystack = new Array(claims.check.length);
      for (let row = 0; row < haystack.length; row++) {
        haystack[row] = (target(row) + "\n" + related(row) + "\n" + claims.message[row] + "\n" + label(row) + "\n" + titleOf(check(row)) + "\n" + check(row)).toLowerCase();
      }
    }
    return haystack;
  };
  const chosen = () => {
    const rows = [];
    const words = state.query.toLowerCase().split(/\s+/).filter(Boolean);
    const texts = words.length ? searchable() : null;
    const wanted = {
      check: claims.checks.indexOf(state.check), severity: claims.severities.indexOf(state.severity),
      label: claims.labels.indexOf(state.label), split: claims.splits.indexOf(state.split),
    };
    for (let row = 0; row < claims.check.length; row++) {
      if (state.check && claims.check[row] !== wanted.check) continue;
      if (state.severity && claims.severity[row] !== wanted.severity) continue;
      if (state.label && (claims.target[row] < 0 || claims.labelOf[claims.target[row]] !== wanted.label)) continue;
      if (state.split && (claims.target[row] < 0 || claims.splitOf[claims.target[row]] !== wanted.split)) continue;
      if (texts && !words.every((word) => texts[row].includes(word))) continue;
      rows.push(row);
    }
    return rows;
  };
  const keys = {
    severity: (row) => -claims.severity[row], target: (row) => target(row).toLowerCase(), check: (row) => titleOf(check(row)),
    label, split, confidence: (row) => -claims.confidence[row], figure: (row) => claims.figure[row] ?? Infinity,
  };
  const sorted = (rows) => {
    if (!state.sort) return rows;
    const key = new Map(rows.map((row) => [row, keys[state.sort](row)]));
    const turn = state.down ? -1 : 1;
    return rows.sort((a, b) => {
      const left = key.get(a), right = key.get(b);
      return (left < right ? -turn : left > right ? turn : a - b);
    });
  };

  /** The folder, which may be cut short, and the file's own name, which says most. */
  const pathParts = (name) => {
    const cut = name.lastIndexOf("/") + 1;
    return [cut ? element("bdi", { class: "folder" }, name.slice(0, cut)) : null, element("bdi", { class: "base" }, name.slice(cut))].filter(Boolean);
  };
  const cell = (kind, ...children) => element("td", { class: "c-" + kind }, ...children);
  const drawRow = (place) => {
    const row = view[place];
    const name = target(row) || "the data set";
    const open = element("button", { type: "button", class: "name", tabindex: place === active ? "0" : "-1", title: visible(name) }, ...pathParts(visible(name)));
    const copier = element("button", { type: "button", class: "ghost icon-only copier", tabindex: "-1", "aria-label": "Copy " + visible(name) }, icon("copy"));
    const level = severity(row);
    const line = element("tr", { "aria-rowindex": place + 2, "data-place": place },
      cell("severity", icon(level, "mark " + level), element("span", {}, level)),
      cell("target", element("span", { class: "target" }, open, isFile(claims.target[row]) ? copier : null)),
      cell("check", titleOf(check(row))),
      cell("message", element("span", { title: visible(claims.message[row]) }, visible(claims.message[row]))),
      cell("label", element("bdi", {}, visible(label(row)))),
      cell("split", element("bdi", {}, visible(split(row)))),
      cell("sure num", Math.round(100 * claims.confidence[row]) + "%"));
    return line;
  };
  const spacer = (rows) => {
    const line = element("tr", { class: "spacer", "aria-hidden": "true" }, element("td", { colspan: "7" }));
    line.firstChild.style.height = rows * ROW + "px";
    return line;
  };
  let drawn = "";
  const render = (again = false) => {
    const first = Math.max(0, Math.floor(viewport.scrollTop / ROW) - EXTRA);
    const last = Math.min(view.length, Math.ceil((viewport.scrollTop + viewport.clientHeight) / ROW) + EXTRA);
    if (!again && drawn === first + ":" + last) return;
    drawn = first + ":" + last;
    const focused = body.contains(document.activeElement);
    const lines = [];
    if (first) lines.push(spacer(first));
    for (let place = first; place < last; place++) lines.push(drawRow(place));
    if (last < view.length) lines.push(spacer(view.length - last));
    body.replaceChildren(...lines);
    if (focused) (rowAt(active)?.querySelector(".name") ?? viewport).focus({ preventScroll: true });
  };
  const rowAt = (place) => $(`tr[data-place="${place}"]`, body);

  const update = () => {
    if (!claims) return;
    view = Int32Array.from(sorted(chosen()));
    active = view.length ? 0 : -1;
    viewport.scrollTop = 0;
    render(true);
    $("#grid").setAttribute("aria-rowcount", view.length + 1);
    $("#none").hidden = view.length > 0;
    $("#shown").textContent = view.length === claims.check.length
      ? count.format(view.length) + (view.length === 1 ? " issue" : " issues")
      : count.format(view.length) + " of " + count.format(claims.check.length) + " issues";
    $("#reset").hidden = !(state.query || state.check || state.severity || state.label || state.split);
    for (const head of $$("#grid th")) {
      const on = head.dataset.sort === state.sort;
      if (on) head.setAttribute("aria-sort", state.down ? "descending" : "ascending"); else head.removeAttribute("aria-sort");
    }
  };
  const go = (place) => {
    if (place < 0 || place >= view.length) return;
    active = place;
    const head = $("#grid thead").offsetHeight;
    const top = place * ROW;
    if (top < viewport.scrollTop) viewport.scrollTop = top;
    if (top + ROW > viewport.scrollTop + viewport.clientHeight - head) viewport.scrollTop = top + ROW - viewport.clientHeight + head;
    render(true);
    rowAt(place)?.querySelector(".name").focus({ preventScroll: true });
  };

  const fill = (select, values, name = (value) => value) => {
    const tally = new Map();
    for (const value of values) if (value) tally.set(value, (tally.get(value) || 0) + 1);
    const ordered = [...tally].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    for (const [value, number] of ordered) {
      const option = element("option", {}, visible(name(value)) + " (" + count.format(number) + ")");
      option.value = value;
      select.append(option);
    }
    select.parentElement.hidden = ordered.length === 0;
  };
  const filters = { check: $("#filter-check"), severity: $("#filter-severity"), label: $("#filter-label"), split: $("#filter-split") };
  const search = $("#search");
  const apply = (changes) => {
    Object.assign(state, changes);
    for (const [name, select] of Object.entries(filters)) select.value = state[name];
    if (search.value !== state.query) search.value = state.query;
    update();
  };
  const none = { query: "", check: "", severity: "", label: "", split: "" };

  let waiting = 0;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => apply({ query: search.value }), 90); });
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && view.length) { event.preventDefault(); go(0); }
    if (event.key === "Escape" && search.value) { event.preventDefault(); apply({ query: "" }); }
  });
  for (const [name, select] of Object.entries(filters)) select.addEventListener("change", () => apply({ [name]: select.value }));
  $("#reset").addEventListener("click", () => { apply(none); search.focus(); });
  $("#copy-all").addEventListener("click", () => {
    const names = new Set();
    for (const row of view) if (isFile(claims.target[row])) names.add(target(row));
    copy([...names].join("\n"), count.format(names.size) + (names.size === 1 ? " name copied" : " names copied"));
  });
  $("#grid thead").addEventListener("click", (event) => {
    const sort = event.target.closest("th")?.dataset.sort;
    if (!sort) return;
    if (state.sort !== sort) apply({ sort, down: false });
    else if (!state.down) apply({ down: true });
    else apply({ sort: "", down: false });
  });
  let scrolling = false;
  viewport.addEventListener("scroll", () => {
    if (!scrolling) { scrolling = true; requestAnimationFrame(() => { scrolling = false; render(); }); }
  }, { passive: true });
  new ResizeObserver(() => render()).observe(viewport);
  viewport.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(viewport.clientHeight / ROW) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -view.length, End: view.length };
    if (event.key in steps && view.length) {
      event.preventDefault();
      const inside = body.contains(document.activeElement);
      go(inside ? Math.min(view.length - 1, Math.max(0, active + steps[event.key])) : active);
    } else if (event.key === "c" && !event.ctrlKey && !event.metaKey && body.contains(document.activeElement) && active >= 0) {
      copy(target(view[active]), "Name copied");
    }
  });
  body.addEventListener("focusin", (event) => {
    const line = event.target.closest("tr[data-place]");
    if (!line) return;
    rowAt(active)?.querySelector(".name").setAttribute("tabindex", "-1");
    active = Number(line.dataset.place);
    line.querySelector(".name").setAttribute("tabindex", "0");
  });
  body.addEventListener("click", (event) => {
    const line = event.target.closest("tr[data-place]");
    if (!line) return;
    const place = Number(line.dataset.place);
    if (event.target.closest(".copier")) { copy(target(view[place]), "Name copied"); return; }
    inspect(Array.from(view, (row) => [row, claims.target[row]]), place, (at) => go(at));
  });

  /* ---------- the inspector: one claim, with its pictures ---------- */
  const inspector = $("#inspector");
  let list = [];
  let at = 0;
  let leave = null;

  const picture = (number, role) => {
    const data = thumbs[number];
    const name = visible(claims.names[number]);
    const [facts, lost] = boot.facts[number] || ["", ""];
    const shown = data
      ? element("img", { src: "data:image/jpeg;base64," + data, alt: name })
      : element("span", { class: "no-picture" }, lost ? lost.replaceAll("-", " ") : "not among the pictures in this report");
    const tags = [text(claims.labels, claims.labelOf[number] ?? -1), text(claims.splits, claims.splitOf[number] ?? -1)]
      .filter(Boolean).map((tag, index) => element("span", { class: index ? "tag split" : "tag" }, element("bdi", {}, visible(tag))));
    const buttons = element("span", { class: "buttons" },
      element("button", { type: "button", class: "ghost", "data-copy": number }, icon("copy"), "Copy name"),
      boot.root ? element("a", { class: "button ghost", href: boot.root + path(claims.names[number]), target: "_blank", rel: "noreferrer" }, "Open file") : null);
    return element("figure", {},
      element("div", { class: "frame" }, shown, role ? element("span", { class: "role " + role }, role === "keep" ? "A · keep" : "B · copy") : null),
      element("figcaption", {}, element("bdi", { class: "path" }, name), element("span", { class: "quiet" }, facts), element("span", { class: "tags" }, ...tags), buttons));
  };
  /** A sample's name as part of a URL, with the bytes that are not UTF-8 as they are on the disk. */
  const path = (name) => name.split(/(\\x[0-9a-f]{2})/).map((part, index) => {
    if (index % 2) return part === "\\x5c" ? "%5C" : "%" + part.slice(2);
    return part.split("/").map(encodeURIComponent).join("/");
  }).join("");

  /** What the claim shows beside its words, as the page shows it; a picture of it that the page has not drawn yet is drawn. */
  const exhibited = (row) => {
    const shown = $(`main [data-exhibits="${row}"]`);
    if (!shown) return [];
    const again = shown.cloneNode(true);
    again.removeAttribute("data-exhibits");
    $$("img[data-thumb]:not([src])", again).forEach(draw);
    return [again];
  };
  const fact = (name, ...value) => (value.filter(Boolean).length ? [element("dt", {}, name), element("dd", {}, ...value)] : []);
  const show = () => {
    const [row, number] = list[at];
    const code = check(row);
    const [summary, advice] = boot.checks[code] || [code, ""];
    const level = severity(row);
    $("#inspector-place").textContent = count.format(at + 1) + " of " + count.format(list.length);
    $("#inspector-title").textContent = summary;
    const suggestion = text(claims.suggestions, claims.suggestion[row]);
    const keep = suggestion === "drop" ? claims.related[row] : -1;
    const members = [claims.target[row], claims.related[row]].filter((member) => isFile(member));
    if (isFile(number) && !members.includes(number)) members.unshift(number);
    $("#inspector-pictures").replaceChildren(...members.map((member) => picture(member, keep < 0 ? "" : member === keep ? "keep" : "copy")));
    $("#inspector-pictures").hidden = members.length === 0;
    const figure = claims.figure[row];
    const details = element("dl", {},
      ...fact("Subject", isFile(claims.target[row]) ? "" : visible(target(row))),
      ...fact("Finding", visible(claims.message[row])),
      ...fact("What to do", advice),
      ...fact("Suggestion", suggestion && suggestion !== "none" ? suggestion + (claims.value[row] >= 0 ? ": " + visible(text(claims.values, claims.value[row])) : "") : ""),
      ...fact("Value", figure === null ? "" : count.format(figure) + " " + text(claims.units, claims.unit[row])),
      ...fact("Confidence", Math.round(100 * claims.confidence[row]) + "%"),
      ...fact("Where", visible(text(claims.locations, claims.location[row]))),
      ...fact("Group", visible(text(claims.groups, claims.group[row]))));
    const pill = element("span", { class: "pill " + level }, icon(level), level);
    $("#inspector-text").replaceChildren(element("p", { class: "check-tags" }, pill, element("code", {}, code)), details, ...exhibited(row));
    for (const button of $$("[data-go]", inspector)) button.disabled = !(at + Number(button.dataset.go) in list);
  };
  const inspect = (rows, start, left = null) => {
    if (!claims) return;
    list = rows;
    at = start;
    leave = left;
    show();
    if (!inspector.open) inspector.showModal();
    $("#inspector-title").focus();
  };
  const step = (by) => { if (at + by in list) { at += by; show(); } };
  inspector.addEventListener("click", (event) => {
    if (event.target === inspector || event.target.closest("[data-close]")) { inspector.close(); return; }
    const mover = event.target.closest("[data-go]");
    if (mover) step(Number(mover.dataset.go));
    const copier = event.target.closest("[data-copy]");
    if (copier) copy(claims.names[Number(copier.dataset.copy)], "Name copied");
  });
  inspector.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowRight" || event.key === "ArrowDown") { event.preventDefault(); step(1); }
    if (event.key === "ArrowLeft" || event.key === "ArrowUp") { event.preventDefault(); step(-1); }
    if (event.key === "c" && list[at][1] >= 0) copy(claims.names[list[at][1]], "Name copied");
  });
  inspector.addEventListener("close", () => { if (leave) leave(at); });

  for (const gallery of $$(".gallery")) {
    const tiles = $$(".thumb:not(.mini)", gallery);
    gallery.addEventListener("click", (event) => {
      const tile = event.target.closest(".thumb:not(.mini)");
      if (!tile) return;
      const rows = tiles.map((each) => [Number(each.dataset.row), Number(each.dataset.name)]);
      inspect(rows, tiles.indexOf(tile), (place) => tiles[place].focus());
    });
    gallery.addEventListener("keydown", (event) => {
      const steps = { ArrowRight: 1, ArrowLeft: -1 };
      const place = tiles.indexOf(event.target.closest(".thumb"));
      if (place >= 0 && event.key in steps && tiles[place + steps[event.key]]) { event.preventDefault(); tiles[place + steps[event.key]].focus(); }
    });
  }
  addEventListener("click", (event) => {
    const mini = event.target.closest(".mini");
    if (mini) inspect([[Number(mini.dataset.row), Number(mini.dataset.name)]], 0, inspector.contains(mini) ? leave : () => mini.focus());
    const more = event.target.closest("[data-more]");
    if (more) {
      more.previousElementSibling.classList.add("all");
      $(".gallery.all > li:nth-child(7) .thumb, .gallery.all > li:nth-child(13) .thumb", more.parentElement)?.focus({ preventScroll: true });
      more.remove();
    }
    const button = event.target.closest("[data-show]");
    if (!button) return;
    apply({ ...none, check: button.dataset.show });
    $("#issues").scrollIntoView();
    viewport.focus({ preventScroll: true });
  });
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName || "");
    if (event.key === "/" && !typing && !inspector.open && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      $("#issues").scrollIntoView();
      search.focus({ preventScroll: true });
    }
  });

  const start = async () => {
    try {
      await unpack();
    } catch (error) {
      $("#shown").textContent = "This browser is too old for the table; issues.csv lists every issue.";
      return;
    }
    document.documentElement.style.setProperty("--row", ROW + "px");
    fill(filters.check, claims.check.map((number) => claims.checks[number]), titleOf);
    fill(filters.severity, claims.severity.map((number) => claims.severities[number]));
    fill(filters.label, claims.target.map((number) => (number < 0 ? "" : text(claims.labels, claims.labelOf[number] ?? -1))));
    fill(filters.split, claims.target.map((number) => (number < 0 ? "" : text(claims.splits, claims.splitOf[number] ?? -1))));
    update();
    /** The claims about each sample, by name. */
    const about = new Map();
    claims.target.forEach((number, row) => {
      if (isFile(number)) about.set(claims.names[number], [...(about.get(claims.names[number]) || []), row]);
    });
    const numbers = new Map(claims.names.map((name, number) => [name, number]));
    const map = $("#map-data");
    if (map) window.drawMap(await unpacked(map), {
      $, $$, bytesOf, element, icon, visible, count, copy, path, root: boot.root, titleOf,
      severityOf: (code) => (boot.checks[code] ? boot.checks[code][2] : "info"),
      thumbOf: (name) => thumbs[numbers.get(name)],
      claimsOf: (name) => (about.get(name) || []).map((row) => ({
        title: titleOf(check(row)), level: severity(row), message: claims.message[row],
        open: (left) => inspect([[row, claims.target[row]]], 0, left),
      })),
    });
    document.documentElement.dataset.ready = "true";
  };
  setTimeout(start, 0);
})();
