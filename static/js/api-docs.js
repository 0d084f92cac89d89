// Swagger UI knows its dark scheme by a class; ours is the system's unless data-theme says otherwise (theme.js).
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => root.classList.toggle("dark-mode", (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark");
  show();
  dark.addEventListener("change", show);
})();
