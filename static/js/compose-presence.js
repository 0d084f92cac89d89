// Reports who is at this draft and where in it, and shows who else is. A colleague's save is fetched as soon as it is heard of.
const BEAT = 15_000; // milliseconds; the server forgets people it has not heard of for forty seconds
const MOVED = 800; // after the cursor came to rest in another field

export function presence(form, saver) {
  const line = form.querySelector("[data-colleagues]");
  let field = "", timer, moved;

  const body = (extra) => {
    const said = new FormData();
    said.set("csrfmiddlewaretoken", new FormData(form).get("csrfmiddlewaretoken")); // the newest (token.js)
    for (const [name, value] of Object.entries(extra)) said.set(name, value);
    return said;
  };
  const address = () => form.dataset.save.replace(/save\/$/, "here/");

  async function beat() {
    clearTimeout(timer);
    timer = setTimeout(beat, BEAT);
    if (!saver.draft() || document.hidden) return;
    const answer = await fetch(address(), { method: "POST", body: body({ field }), redirect: "manual" }).catch(() => null);
    if (!answer?.ok) return; // signed out, it leads to the sign-in, which would lead back here by GET
    const reply = await answer.json();
    const words = reply.people.join(" · ");
    if (line.textContent.trim() !== words) line.textContent = words;
    line.hidden = !words;
    if (reply.sent || reply.revision > saver.revision()) saver.now();
  }

  form.addEventListener("focusin", (event) => {
    const name = event.target.name ?? "";
    if (name === field) return;
    field = name;
    clearTimeout(moved);
    moved = setTimeout(beat, MOVED);
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) beat(); });
  window.addEventListener("pagehide", () => { if (saver.draft()) navigator.sendBeacon(address(), body({ leave: "1" })); });
  timer = setTimeout(beat, BEAT);
}
