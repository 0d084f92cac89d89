// A form is posted once the desk answers and its person is signed in. Else the sign-in page, or the browser's own page, would take the place
// of what was typed. Until then a dialog says what is wrong, in front of the page; signing in happens in a tab of its own, with whatever that
// takes, and the press goes on by itself.
import { hold } from "./press.js";
import { gettext } from "./words.js";

const LONGEST = 10_000; // milliseconds without an answer
const AGAIN = 2000;
const SIGN_IN = "/accounts/login/";
const person = document.body.dataset.person;

// What the desk says of the session: { person }, whose `person` is empty where nobody is signed in; null where it does not answer. Where the
// cookie of the forms' token is gone, the answer brings a new one.
export async function session() {
  try {
    const answer = await fetch("/accounts/session/", { cache: "no-store", signal: AbortSignal.timeout(LONGEST) });
    return answer.ok ? await answer.json() : null;
  } catch { return null; }
}

function what(answer) {
  if (!answer) return [gettext("No connection to Textdesk"), gettext("It is tried again every few seconds.")];
  if (!answer.person) return [gettext("You were signed out"), gettext("Sign in in a new tab.")];
  const why = gettext("In this browser another person signed in since this page was opened. Sign in as yourself in a new tab.");
  return [gettext("Another person is signed in"), why];
}

const made = (tag, more) => Object.assign(document.createElement(tag), more);

// Whether the press may go: at once, after signing in again, or not, because it was given up.
async function ready() {
  let answer = await session();
  if (answer?.person === person) return true;
  const dialog = made("dialog", { className: "search-dialog session-dialog" });
  dialog.setAttribute("aria-labelledby", "session-title");
  const title = made("h2", { id: "session-title" }), words = made("p", { role: "status" }), row = made("div", { className: "actions" });
  const signIn = made("button", { type: "button", className: "button primary", textContent: gettext("Sign in in a new tab") });
  const giveUp = made("button", { type: "button", className: "button", textContent: gettext("Not now") });
  row.append(signIn, giveUp);
  dialog.append(title, words, row);
  document.body.append(dialog);
  let tab, timer;
  signIn.addEventListener("click", () => { tab = window.open(SIGN_IN, "sign-in"); });
  giveUp.addEventListener("click", () => dialog.close());
  const goes = await new Promise((done) => {
    const say = () => {
      const [heading, advice] = what(answer);
      title.textContent = heading;
      words.textContent = `${advice} ${gettext("What you wrote stays here. Then what you pressed goes on.")}`;
      signIn.hidden = !answer;
    };
    const ask = async () => {
      clearTimeout(timer);
      answer = await session();
      if (!dialog.open) return;
      if (answer?.person === person) return done(true);
      say();
      timer = setTimeout(ask, AGAIN);
    };
    dialog.addEventListener("close", () => done(false));
    say();
    dialog.showModal();
    timer = setTimeout(ask, AGAIN);
  });
  clearTimeout(timer);
  dialog.remove();
  if (goes) tab?.close();
  return goes;
}

const methodOf = (form, button) => (button?.getAttribute("formmethod") ?? form.getAttribute("method") ?? "get").toLowerCase();
const signsOut = (form) => form.getAttribute("action")?.startsWith("/accounts/logout/");

// The pressed button, or the one that was drawn in its place.
function still(form, button) {
  if (!button || button.form === form) return button;
  return [...form.elements].find((one) => one.type === "submit" && one.name === button.name && one.value === button.value);
}

const presses = new Map(); // by form: its last pressed button, while the desk is asked
let passing;

window.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!person || passing === form || methodOf(form, event.submitter) !== "post" || signsOut(form)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const waits = presses.has(form);
  presses.set(form, event.submitter);
  if (waits) return;
  const letGo = hold();
  const goes = await ready();
  const button = still(form, presses.get(form));
  presses.delete(form);
  if (goes) {
    passing = form;
    form.requestSubmit(button);
    passing = undefined;
  }
  letGo();
}, true);
