// Comfort on the compose page: the phone shows what is typed, and a line counts its segments. Without it everything still works.
import { culprits, segments } from "./segments.js";

const form = document.querySelector("[data-compose]");
const text = form.querySelector("[name=text]");
const template = form.querySelector("[name=template]");
const sender = form.querySelector("[name=sender]");
const bubble = form.querySelector("[data-bubble]");
const from = form.querySelector("[data-from]");
const counter = form.querySelector("[data-counter]");

function shown() {
  const chosen = template?.value && form.querySelector(`template[data-text="${CSS.escape(template.value)}"]`);
  return chosen ? chosen.content.textContent : text.value;
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

for (const field of [text, template, sender]) field?.addEventListener("input", preview);
preview();
