// The phone beside the text. The server fills in real rows and counts; here its newest answer is put in place, and older ones are dropped.
import { redraw, whenFree } from "./press.js";

const SHORTLY = 40; // milliseconds after the last key before the server is asked
const LATEST = 90; // and at most so long after the first
const AT_REST = 1200; // until every row is counted, and what changed is announced to screen readers
const AGAIN = 1000; // between two looks at how far a count is
const LATER = 5000; // and after one that was not answered
const LONG = 20_000; // characters of a pasted list that are not sent at every key: the saved ones are looked at
const FIELDS = ["text", "template", "language", "sender", "link_domain", "track", "audience", "pasted", "country", "column", "hidden_rows", "hidden_columns", "sheet", "heading_row", "allow_duplicates", "respect_quiet_hours", "when", "send_at", "time_zone"];
const LISTS = ["fillings_shown", "filling_name", "filling_column", "filling_fallback", "leave_out"]; // what fills each placeholder; kinds of numbers

export function preview(form) {
  const parts = new Map([...form.querySelectorAll("[data-part]")].map((one) => [one.dataset.part, one]));
  const shown = new Map();
  const said = form.querySelector("[data-said]");
  let at = 0, asked = 0, applied = 0, soon, rest, since = 0, replaced = "", last = "";

  function body(extra) {
    const typed = new FormData(form), sent = new FormData();
    for (const name of FIELDS) {
      const value = typed.get(name);
      if (value !== null && !(name === "pasted" && value.length > LONG)) sent.set(name, value);
    }
    for (const name of LISTS) for (const value of typed.getAll(name)) sent.append(name, value);
    sent.set("csrfmiddlewaretoken", typed.get("csrfmiddlewaretoken"));
    sent.set("at", at);
    for (const [name, value] of Object.entries(extra)) sent.set(name, value);
    return sent;
  }

  function put(name, html) {
    const part = parts.get(name);
    if (part) whenFree(part, () => draw(part, name, html));
  }

  function draw(part, name, html) {
    if (shown.get(name) === html) return;
    shown.set(name, html);
    if (name === "placeholders" && samePlaceholders(part, html)) return; // keeps what is being typed
    if (name === "found") return drawFound(part, html);
    const step = part.contains(document.activeElement) ? document.activeElement.dataset.step : undefined;
    const open = part.querySelector("details")?.open;
    const typed = [...part.querySelectorAll("input[id]")].filter((one) => one.value !== one.defaultValue);
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    part.innerHTML = html;
    for (const one of typed) { // a cell that is being corrected stays as it was typed, while its row is there
      const again = document.getElementById(one.id);
      if (again) again.value = one.value;
    }
    if (focused?.id) {
      const again = document.getElementById(focused.id);
      again?.focus();
      if (again && focused.selectionStart != null) again.setSelectionRange(focused.selectionStart, focused.selectionEnd);
    }
    if (open) part.querySelector("details")?.setAttribute("open", "");
    if (step) part.querySelector(`[data-step="${step}"]`)?.focus();
  }

  // The focus stays, and so does what is being typed: then the part is drawn once the field is left.
  function drawFound(part, html) {
    const active = document.activeElement;
    if (active.type === "number" && part.contains(active)) {
      active.addEventListener("blur", () => drawFound(part, html), { once: true });
      return;
    }
    const open = part.querySelector("details")?.open;
    redraw(part, html);
    if (open) part.querySelector("details")?.setAttribute("open", "");
  }

  function samePlaceholders(part, html) {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const now = (root) => root.querySelector("[data-placeholders]")?.dataset.placeholders ?? "";
    return now(part) === now(fresh.content);
  }

  async function send(extra = {}) {
    clearTimeout(soon);
    since = 0;
    const mine = (asked += 1);
    const written = form.elements.text.value;
    const answer = await fetch(form.dataset.preview, { method: "POST", body: body(extra), redirect: "manual" }).catch(() => null);
    const reply = answer?.ok ? await answer.json() : null; // not where it leads to the sign-in
    if (answer?.status === 429 && mine === asked) soon = setTimeout(send, AGAIN, extra); // too many are under way
    if (extra.count && mine === asked) rests(reply ? AGAIN : LATER); // what was asked since comes to rest by itself
    if (!reply || mine < applied) return;
    applied = mine;
    replaced = written === form.elements.text.value ? reply.replaced : "";
    last = reply.said;
    for (const [name, html] of Object.entries(reply.parts)) put(name, html);
  }

  function rests(wait = AT_REST) {
    clearTimeout(rest);
    rest = setTimeout(resting, wait);
  }

  function resting() {
    if (document.hidden) return rests();
    if (said.textContent !== last) said.textContent = last;
    if (form.querySelector("[data-counting]")) send({ count: "1" });
  }

  // What is stored now may be what a count has waited for. While a person types, the pause is still to come.
  function stored() {
    if (form.querySelector("[data-uncounted]")) send({ count: "1" });
  }

  function ask() {
    const now = performance.now();
    since ||= now;
    clearTimeout(soon);
    soon = setTimeout(send, Math.max(0, Math.min(SHORTLY, since + LATEST - now)));
    rests();
  }

  function step(by) {
    at = Math.max(0, at + by);
    const counting = form.querySelector("[data-counting]");
    send(counting ? {} : { count: "1" }); // exact figures stay exact
    if (counting) rests();
  }

  form.addEventListener("input", (event) => {
    if (event.target.name === "audience" || event.target.name === "pasted") at = 0;
    if (FIELDS.includes(event.target.name) || LISTS.includes(event.target.name)) ask();
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (!button) return;
    event.preventDefault();
    if (button.getAttribute("aria-disabled") !== "true") step(Number(button.dataset.step));
  });
  ask();
  return { ask, step, stored, replaced: () => replaced };
}
