// Comfort on the compose page: the phone shows what is typed, a line counts its segments, one press replaces what needs Unicode, and
// links are inserted where the cursor stands. Without it everything still works.
import { culprits, segments } from "./segments.js";

const form = document.querySelector("[data-compose]");
const text = form.querySelector("[name=text]");
const template = form.querySelector("[name=template]");
const language = form.querySelector("[name=language]");
const sender = form.querySelector("[name=sender]");
const bubble = form.querySelector("[data-bubble]");
const from = form.querySelector("[data-from]");
const counter = form.querySelector("[data-counter]");
const simplify = form.querySelector("[data-simplify]");
const PAUSE = 120; // milliseconds after the last key before the server is asked

function shown() {
  if (!template?.value) return text.value;
  const wording = (name) => form.querySelector(`template[data-text="${CSS.escape(template.value)}"][data-language="${CSS.escape(name)}"]`);
  return (wording(language?.value ?? "") ?? wording(""))?.content.textContent ?? "";
}

function preview() {
  const words = shown();
  bubble.textContent = words || bubble.dataset.empty;
  bubble.classList.toggle("empty-bubble", !words);
  const choice = sender?.selectedOptions[0];
  from.textContent = choice?.value ? choice.textContent : from.dataset.empty;
  const { encoding, count, units } = segments(words);
  const odd = culprits(words).slice(0, 5).map((char) => `“${char}”`).join(" ");
  counter.hidden = !words;
  counter.querySelector("[data-count]").textContent =
    `${units} of ${encoding === "gsm7" ? (count > 1 ? 153 * count : 160) : count > 1 ? 67 * count : 70} characters, ${count} segment${count === 1 ? "" : "s"}` +
    (words.includes("$(") ? ", before placeholders are filled" : "");
  counter.querySelector("[data-why]").textContent = encoding === "ucs2" ? `${odd} needs Unicode: 70 characters in a segment instead of 160` : "";
}

// What could stand instead is the server's to say: its table is the one that counts.
let waiting, asked = 0, judged = null;
function judge() {
  clearTimeout(waiting);
  judged = null;
  if (template?.value || !culprits(text.value).length) {
    asked += 1;
    simplify.hidden = true;
    return;
  }
  waiting = setTimeout(async () => {
    const mine = (asked += 1);
    const body = new FormData();
    body.set("text", text.value);
    body.set("csrfmiddlewaretoken", form.querySelector("[name=csrfmiddlewaretoken]").value);
    const answer = await fetch(simplify.dataset.check, { method: "POST", body }).catch(() => null);
    if (mine !== asked || !answer?.ok) return;
    judged = await answer.json();
    simplify.hidden = !judged.says;
    const saved = judged.segments - judged.replaced_segments;
    simplify.querySelector("[data-simplify-says]").textContent =
      judged.says + (saved > 0 ? ` ${judged.replaced_segments} segment${judged.replaced_segments === 1 ? "" : "s"} instead of ${judged.segments}.` : "");
  }, PAUSE);
}

function insert(words) {
  text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
  text.dispatchEvent(new Event("input", { bubbles: true }));
  text.focus();
}

simplify.querySelector("button").addEventListener("click", (event) => {
  if (!judged) return; // the form is submitted, and the server replaces
  event.preventDefault();
  text.select();
  insert(judged.replaced);
});
for (const button of form.querySelectorAll("[data-insert]")) {
  button.hidden = false;
  button.addEventListener("click", () => insert(button.dataset.insert));
}
for (const field of [text, template, language, sender]) field?.addEventListener("input", () => { preview(); judge(); });
preview();
judge();
