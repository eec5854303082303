"use strict";
(() => {
  const { $, $$, visible, element, icon, copy } = shared;
  const read = (id) => JSON.parse($(id).textContent);
  const boot = read("#boot"), thumbs = read("#thumbs"), heats = read("#heats");
  const count = new Intl.NumberFormat("en");

  /* ---------- pictures, and what spoke for the class ---------- */
  let heated = false;
  const draw = (image) => {
    const place = image.dataset.thumb;
    image.src = "data:image/jpeg;base64," + (heated && heats[place] ? heats[place] : thumbs[place]);
  };
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { draw(entry.target); near.unobserve(entry.target); }
  }, { rootMargin: "800px" });
  $$("img[data-thumb]").forEach((image) => near.observe(image));
  addEventListener("beforeprint", () => $$("img[data-thumb]:not([src])").forEach(draw));
  $("#heat")?.addEventListener("click", (event) => {
    heated = !heated;
    event.currentTarget.setAttribute("aria-pressed", String(heated));
    $$("img[data-heated][src]").forEach(draw);
  });

  /* ---------- navigation and scheme ---------- */
  const menu = $("#menu");
  const openMenu = (open) => { menu.setAttribute("aria-expanded", String(open)); $(".side").classList.toggle("open", open); };
  menu.addEventListener("click", () => openMenu(menu.getAttribute("aria-expanded") !== "true"));
  $("#nav").addEventListener("click", (event) => { if (event.target.closest("a")) openMenu(false); });
  const links = $$("#nav a").map((link) => [document.getElementById(link.hash.slice(1)), link]);
  let marking = false;
  const mark = () => {
    marking = false;
    const passed = links.filter(([place]) => place && place.getBoundingClientRect().top < innerHeight * 0.3);
    const current = passed.sort(([a], [b]) => b.getBoundingClientRect().top - a.getBoundingClientRect().top)[0] || links[0];
    for (const [, link] of links) if (link === current[1]) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
  };
  addEventListener("scroll", () => { if (!marking) { marking = true; requestAnimationFrame(mark); } }, { passive: true });
  mark();
  const theme = $("#theme");
  const showTheme = () => theme.setAttribute("aria-pressed", String(document.documentElement.dataset.theme === "dark"));
  theme.addEventListener("click", () => window.toggleTheme());
  addEventListener("themechange", showTheme);
  showTheme();

  /* ---------- the map ---------- */
  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const unpacked = async (holder) => {
    const stream = new Blob([bytesOf(holder.textContent)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  };
  /** Opens the picture of a mistake among the galleries. */
  const show = (name) => {
    const place = document.getElementById("mistake-" + boot.places[name]) || $(`img[data-thumb="${boot.places[name]}"]`);
    if (!place) return;
    const folded = place.closest("details");
    if (folded) folded.open = true;
    place.scrollIntoView({ block: "center" });
  };
  const start = async () => {
    const holder = $("#map-data");
    if (holder) window.drawMap(await unpacked(holder), {
      $, $$, bytesOf, element, icon, visible, count, copy, path: (name) => name, root: "", calm: "The audit says nothing of it.",
      titleOf: (code) => (code === "mistake" ? "Mistake" : code), severityOf: () => "info",
      thumbOf: (name) => thumbs[boot.places[name]],
      claimsOf: (name) => (boot.examples[name] || []).map(([check, level, message]) => ({
        title: check, level, message, open: () => show(name),
      })),
    });
    document.documentElement.dataset.ready = "true";
  };
  setTimeout(start, 0);
})();
