// Saves the draft while one types. Each save says what every field was when it was shown; what a colleague stored since is taken over, and
// what both changed is shown side by side, nothing overwritten (portal.views.compose.save). A save that fails is tried again until it succeeds,
// and nothing is posted before: a page that takes the place of this one would take what was typed with it.
import { isCell } from "./compose-cells.js";
import { forget } from "./kept.js";
import { hold, whenFree } from "./press.js";
import { session } from "./session.js";
import { gettext } from "./words.js";

const PAUSE = 700; // milliseconds after the last change
const LATEST = 3000; // and at most so long after the first
const TOO_LONG = 30_000; // without an answer the save counts as failed
const AGAIN = [2, 4, 8, 15]; // seconds

export function saving(form, { changed, stored, work }) {
  const state = form.querySelector("[data-state]");
  const clashes = form.querySelector("[data-clashes]");
  const file = form.querySelector("[data-file]");
  const edits = new Map(); // of each field: the number of its last change
  let edit = 0, saved = 0, since = 0, timer, running = null, failures = 0, leaving = false, pressed, fileShown;
  let revision = Number(form.dataset.revision ?? 0);

  const dirty = () => saved < edit;
  const say = (words, kind = "") => {
    if (state.textContent !== words) state.textContent = words;
    state.dataset.kind = kind;
  };

  function touched(event) {
    const name = event.target.name;
    if (event.target.form !== form || !name || name === "mended" || isCell(name) || name.startsWith("choose_")) return;
    edits.set(name, (edit += 1));
    if (!failures) say(gettext("Not saved yet …"), "open");
    const now = performance.now();
    since ||= now;
    clearTimeout(timer);
    timer = setTimeout(save, event.target.type === "file" ? 0 : Math.max(0, Math.min(PAUSE, since + LATEST - now)));
  }

  function body(choosing) {
    const typed = new FormData(form);
    for (const name of [...typed.keys()]) if (!choosing && /^(choose|seen)_/.test(name)) typed.delete(name);
    if (!typed.get("file")?.size) typed.delete("file");
    typed.delete("mended"); // goes with its button
    return typed;
  }

  // a refusal is asked for as JSON
  const REFUSALS = { Accept: "application/json, text/html;q=0.9" };

  function save(choosing = false) {
    running ??= once(choosing === true).finally(() => {
      running = null;
      if (dirty() && !failures) timer = setTimeout(save, PAUSE);
    });
    return running;
  }

  async function once(choosing) {
    clearTimeout(timer);
    since = 0;
    const upto = edit, typed = body(choosing);
    say(typed.get("file") ? gettext("Uploading the file …") : gettext("Saving …"), "open");
    let answer, reply;
    try {
      answer = await fetch(form.dataset.save, { method: "POST", body: typed, headers: REFUSALS, redirect: "manual", signal: AbortSignal.timeout(typed.get("file") ? 600_000 : TOO_LONG) });
      reply = await answer.json();
    } catch { reply = null; }
    if (answer?.status === 410) return sent(reply.send);
    if (!reply || !(answer.ok || answer.status === 409)) return failed(answer, reply);
    failures = 0;
    saved = upto;
    const newFile = Boolean(typed.get("file") || typed.get("remove_file")); // whose cells are others
    took(reply, upto, newFile);
    if (!dirty()) forget(form, (name) => !newFile && isCell(name));
  }

  function took(reply, upto, newFile) {
    form.elements.base.value = JSON.stringify(reply.base);
    revision = reply.revision;
    if (form.dataset.draft !== String(reply.draft)) began(reply);
    for (const [name, value] of Object.entries(reply.theirs)) if ((edits.get(name) ?? 0) <= upto) put(form, name, value);
    if (newFile && (edits.get("file") ?? 0) <= upto) form.elements.file.value = "";
    if (reply.file !== fileShown) whenFree(file, () => { file.innerHTML = fileShown = reply.file; });
    work(reply.work);
    for (const [name, words] of Object.entries(reply.now)) {
      const fold = form.querySelector(`[data-now="${name}"]`);
      if (fold && fold.textContent !== words) fold.textContent = words;
    }
    whenFree(clashes, () => {
      const fresh = reply.clashes && !clashes.firstElementChild;
      if (fresh || !reply.clashes) clashes.innerHTML = reply.clashes;
      if (fresh) clashes.firstElementChild.focus();
    });
    const wrong = Object.entries(reply.errors)[0];
    if (reply.clashes) say(gettext("Saved %(at)s, except what you both changed. Choose below.", reply), "bad");
    else if (wrong) say(gettext("Saved %(at)s, but not “%(field)s”: %(why)s", { at: reply.at, field: wrong[0], why: wrong[1][0] }), "bad");
    else if (!dirty()) say([gettext("Saved %(at)s.", reply), reply.notice].filter(Boolean).join(" "));
    if (newFile || Object.keys(reply.theirs).length) changed();
    else if (!dirty()) stored();
  }

  // From the first save on, the page is the draft's: a reload finds it again.
  function began(reply) {
    form.dataset.draft = reply.draft;
    history.replaceState(history.state, "", reply.page);
    form.dataset.save = `${reply.page}save/`;
    form.dataset.preview = `${reply.page}preview/`;
    document.getElementById("discard").action = `${reply.page}discard/`;
    form.querySelector("[form=discard]").hidden = false;
  }

  function failed(answer, reply) {
    const wait = AGAIN[Math.min(failures, AGAIN.length - 1)];
    failures += 1;
    const signedOut = answer?.status === 401;
    if (answer?.status === 403) session(); // brings a new token, where that was why
    const tooLarge = answer?.status === 413; // and it stays so: the next change is saved
    const why = !answer ? gettext("No connection")
      : signedOut ? gettext("You were signed out")
      : tooLarge ? gettext("The file is too large: choose a smaller one, or split it")
      : reply?.says ?? gettext("Textdesk did not accept it.");
    const stays = tooLarge ? gettext("What you wrote stays here.") : gettext("What you wrote stays here; trying again every few seconds.");
    say(`${gettext("Not saved.")} ${why.replace(/\.?$/, ".")} ${stays} `, "bad");
    if (signedOut) link(gettext("Sign in again in a new window"), "/accounts/login/").target = "_blank";
    clearTimeout(timer);
    if (!tooLarge) timer = setTimeout(save, wait * 1000);
  }

  function link(words, address) {
    const made = Object.assign(document.createElement("a"), { href: address, textContent: words });
    state.append(made);
    return made;
  }

  function sent(address) {
    saved = edit;
    say(`${gettext("This draft was sent by a colleague.")} `, "bad");
    link(gettext("See the send"), address);
  }

  form.addEventListener("input", touched);
  form.addEventListener("click", (event) => {
    if (event.target.closest("[data-choose]")) {
      event.preventDefault();
      Promise.resolve(running).then(() => save(true));
    }
  });
  window.addEventListener("online", () => dirty() && save());
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && (dirty() || running)) event.preventDefault();
  });
  // A save under way, or one that failed, ends well before the form is posted: what is posted is compared with what is stored then, and a
  // sign-in page would take the place of what was typed. Until then no part is drawn again, so that the pressed button and a chosen file
  // are still there. Of several presses the last one counts.
  form.addEventListener("submit", async (event) => {
    if (!running && !failures) {
      clearTimeout(timer);
      leaving = true;
      return;
    }
    event.preventDefault();
    const waits = pressed !== undefined;
    pressed = event.submitter;
    if (waits) return;
    const letGo = hold();
    await (running ?? save()).catch(() => null); // whatever breaks on this page, the press counts
    const button = pressed;
    pressed = undefined;
    if (!failures) form.requestSubmit(button);
    else state.scrollIntoView({ block: "center" });
    letGo();
  });
  window.addEventListener("pageshow", () => { leaving = false; });

  return {
    now: () => save(),
    dirty,
    revision: () => revision,
    sent,
    draft: () => form.dataset.draft,
  };
}

function put(form, name, value) {
  const field = form.elements[name];
  if (!field) return;
  if (field instanceof RadioNodeList) {
    for (const one of field) one.checked = (Array.isArray(value) ? value.map(String) : [String(value)]).includes(one.value);
  } else if (field.type === "checkbox") field.checked = Boolean(value);
  else field.value = value;
}
