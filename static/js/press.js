// No press is lost because the page was drawn again under it. While a button is held down, or a form is on its way, parts stay as they are;
// what was to be drawn is drawn afterwards.
const CLICK = 300; // milliseconds after a button is let go, in which its click may still come
const LONGEST = 10_000; // a form that is answered with a download leaves the page where it is

const holds = new Set();
const waiting = new Map(); // by part: what draws it

// Keeps every part as it is, until what it returns is called.
export function hold() {
  const one = {};
  holds.add(one);
  return () => {
    if (!holds.delete(one) || holds.size) return;
    const draws = [...waiting.values()];
    waiting.clear();
    for (const draw of draws) draw();
  };
}

// Draws a part now, or once nothing is held. Of several drawings of a part only the newest counts.
export function whenFree(part, draw) {
  if (holds.size) waiting.set(part, draw);
  else draw();
}

// Puts new HTML into a part. A chosen file, a changed tick and the focus stay.
export function redraw(part, html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  for (const input of part.querySelectorAll("input[id]")) {
    const other = fresh.content.getElementById(input.id);
    if (other && input.files?.length) other.replaceWith(input);
    else if (other?.value === input.value && input.checked !== input.defaultChecked) other.checked = input.checked;
  }
  part.replaceChildren(fresh.content);
  if (focused) document.getElementById(focused)?.focus();
}

let letGo;
function pressed() {
  const before = letGo;
  letGo = hold();
  before?.(); // only now: between the two, what waited would be drawn under the button
  setTimeout(letGo, LONGEST);
}
function released() {
  if (letGo) setTimeout(letGo, CLICK);
}
document.addEventListener("pointerdown", (event) => { if (event.target.closest("button, summary, label, input, a")) pressed(); });
document.addEventListener("pointerup", released);
document.addEventListener("pointercancel", released);
document.addEventListener("keydown", (event) => { if (event.key === " " && event.target.closest("button, summary, input")) pressed(); });
document.addEventListener("keyup", (event) => { if (event.key === " ") released(); });
document.addEventListener("submit", (event) => { if (!event.defaultPrevented) setTimeout(hold(), LONGEST); });

// Parts that htmx looks for again: an answer that comes while a button is pressed is dropped, and the next one counts; what the press
// itself asked for is drawn. A whole page is not loaded again while a file is chosen on it, which would be forgotten.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const chosen = [...document.querySelectorAll("input[type=file]")].some((input) => input.files.length);
  const asked = event.detail.requestConfig.triggeringEvent?.type === "click";
  if ((holds.size && !asked) || (chosen && event.detail.xhr.getResponseHeader("HX-Refresh"))) event.preventDefault();
});
