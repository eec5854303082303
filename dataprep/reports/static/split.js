// The scheme can be changed; all else on this page stands still.
(() => {
  const button = document.getElementById("theme");
  const show = () => button.setAttribute("aria-pressed", String(document.documentElement.dataset.theme === "dark"));
  button.addEventListener("click", () => { window.toggleTheme(); show(); });
  show();
})();
