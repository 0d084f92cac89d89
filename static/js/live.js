// Parts of a page that htmx asks for again and again.
import { gettext } from "./words.js";

// A part says since when it had no answer, and asks on: its figures are old, and look new.
for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    const line = event.target.querySelector?.("[data-as-of]");
    if (!line || event.detail.xhr?.status === 401) return; // who is signed out is told so by the page
    line.className = "note warn";
    line.setAttribute("role", "status");
    line.textContent = gettext("No answer since %(time)s. These figures are from then. The page asks again every few seconds.", { time: line.dataset.asOf });
  });
}

// Where only the time is new, the rest stays as it is: what is marked stays marked, and a screen reader where it reads.
const AS_OF = /<p[^>]*data-as-of="[^"]*"[^>]*>[^]*?<\/p>/;
const seen = new Map(); // by the part's id: what was answered last, without its time and tokens
const bare = (html) => html.replace(AS_OF, "").replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, "");
document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.target;
  const html = event.detail.serverResponse;
  const line = part.querySelector("[data-as-of]");
  if (!line || !event.detail.shouldSwap) return;
  const before = seen.get(part.id);
  seen.set(part.id, bare(html));
  if (before !== bare(html)) return keepFocus();
  event.detail.shouldSwap = false;
  const fresh = document.createElement("template");
  fresh.innerHTML = html.match(AS_OF)[0];
  line.replaceWith(fresh.content);
});

// The focus of what has no id: the link to the same place, or the region of the same name. htmx finds what has one.
let focused = "";
function keepFocus() {
  const held = document.activeElement;
  const name = ["href", "aria-label", "name"].find((one) => held.hasAttribute(one));
  focused = name && !held.id ? `${held.localName}[${name}="${CSS.escape(held.getAttribute(name))}"]` : "";
}
document.addEventListener("htmx:afterSettle", () => {
  if (focused && document.activeElement === document.body) document.querySelector(focused)?.focus({ preventScroll: true });
  focused = "";
});
