// A large file on its way into rows: how far it is, every second, until it is read.
const EVERY = 1000; // milliseconds

export function working(form, done) {
  const part = form.querySelector("[data-work]");
  let timer;

  function put(html) {
    if (html !== undefined && part.innerHTML.trim() !== html.trim()) {
      const held = part.contains(document.activeElement) ? document.activeElement.id : "";
      part.innerHTML = html;
      if (held) document.getElementById(held)?.focus(); // whoever is at Stop stays there
    }
    clearTimeout(timer);
    if (part.querySelector("[data-working]")) timer = setTimeout(look, EVERY);
  }

  async function look() {
    const answer = await fetch(`${form.dataset.save.replace(/save\/$/, "work/")}`).catch(() => null);
    if (!answer?.ok || answer.redirected) return void (timer = setTimeout(look, EVERY * 5));
    const before = part.querySelector("[data-working]");
    put(await answer.text());
    if (before) done(); // its first rows, and in the end all of them, can be shown on the phone
  }

  put();
  return put;
}
