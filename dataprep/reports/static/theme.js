// Before the first paint: the remembered scheme, else the system's.
(() => {
  let kept = null;
  try { kept = localStorage.getItem("dataprep-theme"); } catch (_) { /* storage may be forbidden for files */ }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => { document.documentElement.dataset.theme = kept || (dark.matches ? "dark" : "light"); };
  dark.addEventListener("change", () => { if (!kept) { show(); dispatchEvent(new Event("themechange")); } });
  window.toggleTheme = () => {
    kept = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("dataprep-theme", kept); } catch (_) { /* then it lasts until the page is closed */ }
    show();
    dispatchEvent(new Event("themechange"));
  };
  show();
})();
