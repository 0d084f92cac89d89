// Small comforts of every page; without them everything still works.

// A second press of a button that sends does nothing while the first is under way. The server would find the first send anyway.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.hasAttribute("data-once")) return;
  if (button.getAttribute("aria-disabled") === "true") return event.preventDefault();
  button.dataset.label = button.textContent;
  button.setAttribute("aria-disabled", "true");
  button.textContent = button.dataset.once;
});

// Back from the next page, the browser may show this one as it was left: its buttons work again.
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[data-once][aria-disabled]")) {
    button.removeAttribute("aria-disabled");
    button.textContent = button.dataset.label;
  }
});

// Menus close when one looks elsewhere, and Escape returns to what opened them.
const menus = () => document.querySelectorAll("details.menu[open]");
document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// What changed on a live part is said once, and only if it changed.
const said = document.querySelector("[data-said]");
document.addEventListener("htmx:afterSettle", () => {
  const news = document.querySelector("[data-news]")?.dataset.news;
  if (said && news && said.textContent !== news) said.textContent = news;
});
