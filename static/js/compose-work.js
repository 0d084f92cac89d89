// A large file on its way into rows: how far it is, every second, until it is read.
import { redraw, whenFree } from "./press.js";

const EVERY = 1000; // milliseconds

export function working(form, done) {
  const part = form.querySelector("[data-work]");
  let timer, shown;

  function put(html) {
    whenFree(part, () => {
      if (html !== shown) redraw(part, (shown = html));
      lookAgain();
    });
  }

  function lookAgain() {
    clearTimeout(timer);
    if (part.querySelector("[data-working]")) timer = setTimeout(look, EVERY);
  }

  async function look() {
    if (document.hidden) return lookAgain();
    const answer = await fetch(`${form.dataset.save.replace(/save\/$/, "work/")}`, { redirect: "manual" }).catch(() => null);
    if (!answer?.ok) return void (timer = setTimeout(look, EVERY * 5));
    const before = part.querySelector("[data-working]");
    put(await answer.text());
    if (before) done(); // its first rows, and in the end all of them, can be shown on the phone
  }

  lookAgain();
  return put;
}
