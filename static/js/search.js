// The search and the list of shortcuts as dialogs, and the keys that open them and pages. The links to both work without this.
import { gettext } from "./words.js";

const dialog = document.getElementById("search-dialog");
const list = document.getElementById("shortcuts-dialog");
const SEQUENCE = 1500; // milliseconds between the two keys of a shortcut
const STORED = "single-keys";

// Storage may be forbidden: then the choice lasts a page.
let chosen;
function singleKeys() {
  if (chosen !== undefined) return chosen;
  try { return localStorage.getItem(STORED) !== "off"; } catch { return true; }
}
function keepSingleKeys(on) {
  chosen = on;
  try { localStorage.setItem(STORED, on ? "on" : "off"); } catch { /* lasts until the next page */ }
}
function tickSingleKeys() {
  for (const box of document.querySelectorAll("[data-single-keys]")) box.checked = singleKeys();
}
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-single-keys]")) keepSingleKeys(event.target.checked);
});
tickSingleKeys();

function showDialog(one) {
  for (const other of document.querySelectorAll("dialog[open]")) other.close();
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  one.showModal(); // when it is closed, the browser gives the focus back
}
function openSearch() {
  showDialog(dialog);
  field.select();
}
async function openList() {
  const filled = list.querySelector("[data-filled]");
  if (!filled.childElementCount) await htmx.ajax("GET", list.dataset.address, { target: filled });
  if (!filled.childElementCount) return location.assign(list.dataset.address); // signed out, or the server is away
  tickSingleKeys();
  showDialog(list);
}

// The field keeps the focus; the chosen result is named to a screen reader.
const field = dialog?.querySelector("[role=combobox]");
const found = dialog?.querySelector("#search-found");
const said = dialog?.querySelector("[data-found-said]");
const options = () => [...found.querySelectorAll("[role=option]")];
const active = () => found.querySelector("[aria-selected=true]");

function choose(option) {
  active()?.setAttribute("aria-selected", "false");
  if (!option) return field.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", option.id);
}
function step(by) {
  const all = options();
  const at = all.indexOf(active());
  if (all.length) choose(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length]);
}
function pressed(event) {
  if (event.key === "ArrowDown") step(1);
  else if (event.key === "ArrowUp") step(-1);
  else if (event.key === "Enter" && active()) active().click();
  else return;
  event.preventDefault();
}
function told(words) {
  said.textContent = words;
  field.setAttribute("aria-expanded", String(options().length > 0));
}
function failed() {
  const words = gettext("The search did not answer. Press Enter to try it as a page.");
  found.replaceChildren(Object.assign(document.createElement("p"), { className: "quiet", textContent: words }));
  told(words);
}

if (dialog) {
  field.addEventListener("keydown", pressed);
  field.addEventListener("input", () => choose(null));
  dialog.addEventListener("htmx:afterSettle", () => told(found.querySelector("[data-found]")?.dataset.found || ""));
  dialog.addEventListener("htmx:responseError", failed);
  dialog.addEventListener("htmx:sendError", failed);
  // signed out: what says so stands on the page behind
  dialog.addEventListener("htmx:beforeOnLoad", (event) => { if (event.detail.xhr.status === 401) dialog.close(); });
  for (const one of [dialog, list]) one.addEventListener("click", (event) => { if (event.target === one || event.target.closest("[data-close]")) one.close(); });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (!opener || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    if (opener.dataset.opens === "search") openSearch();
    else openList();
  });
  document.addEventListener("keydown", keyed);
}

const writing = (element) => element.isContentEditable || element.matches("input:not([type=checkbox], [type=radio]), textarea, select");
let first = { key: "", at: 0 };
function keyed(event) {
  if (event.defaultPrevented || event.isComposing || writing(event.target) || document.querySelector("dialog[open]")) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") openSearch();
  else if (command || event.altKey || !singleKeys()) return;
  else if (event.key === "/") openSearch();
  else if (event.key === "?") openList();
  else if (!follow(event)) return;
  event.preventDefault();
}
// The navigation says which keys lead where: one, or two in a row.
function follow(event) {
  const before = event.timeStamp - first.at < SEQUENCE ? `${first.key} ` : "";
  first = { key: event.key, at: event.timeStamp };
  const links = [...document.querySelectorAll("[data-keys]")];
  const link = links.find((one) => one.dataset.keys === before + event.key) ?? links.find((one) => one.dataset.keys === event.key);
  link?.click();
  return Boolean(link);
}
