// Small comforts of every page; without them everything still works.
import "./copy.js";
import "./session.js";
import "./kept.js";
import "./insert.js";
import "./live.js";
import "./press.js";
import "./search.js";
import "./token.js";
import { gettext } from "./words.js";

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

// On a narrow screen the row of pages shows the current one.
for (const row of document.querySelectorAll(".places-row")) {
  const here = row.querySelector("[aria-current]");
  if (here) row.scrollLeft = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
}

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

// A live part of whoever is signed out stays as it is, and asks on: signed in again in another window, it goes on by itself.
let signedOut;
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const away = event.detail.xhr.status === 401;
  if (away) event.preventDefault();
  if (away === Boolean(signedOut)) return;
  signedOut?.remove();
  signedOut = undefined;
  if (!away) return;
  const link = Object.assign(document.createElement("a"), { href: "/accounts/login/", target: "_blank", textContent: gettext("Sign in again in a new window") });
  signedOut = Object.assign(document.createElement("div"), { className: "note warn", role: "alert" });
  signedOut.append(Object.assign(document.createElement("p"), { textContent: `${gettext("You were signed out, so this page stands still. It goes on once you are signed in again.")} ` }));
  signedOut.firstChild.append(link);
  document.getElementById("content").prepend(signedOut);
});

// A live part rests while its tab is hidden; it goes on within seconds of being looked at.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.getAttribute("hx-trigger")?.startsWith("every")) event.preventDefault();
});

// What changed on a live part is said now and then, and once more when it comes to rest; every two seconds would be chatter.
const PAUSE = 15_000;
const said = document.querySelector("[data-said]");
let lastSaid = 0;
document.addEventListener("htmx:afterSettle", () => {
  const part = document.querySelector("[data-announce]");
  if (!said || !part || said.textContent === part.dataset.announce) return;
  if (part.hasAttribute("hx-get") && Date.now() - lastSaid < PAUSE) return;
  said.textContent = part.dataset.announce;
  lastSaid = Date.now();
});
