// The compose page: what is typed is saved by itself (compose-save), shown as it will arrive (compose-preview), and colleagues see who is
// at it (compose-presence). Without scripts the same page is saved and checked at the press of a button.
import { correcting } from "./compose-cells.js";
import { dropping } from "./compose-drop.js";
import { presence } from "./compose-presence.js";
import { preview } from "./compose-preview.js";
import { saving } from "./compose-save.js";
import { working } from "./compose-work.js";
import { insert } from "./insert.js";

const form = document.querySelector("[data-compose]");
const text = form.querySelector("[name=text]");

for (const part of form.querySelectorAll("[data-without-script]")) part.hidden = true;

// After a refused press this page is the answer to a form. Reloading it would post what the form held then, over what was saved since.
if (form.dataset.draft) history.replaceState(history.state, "", form.dataset.save.replace(/save\/$/, ""));

const phone = preview(form);
const saver = saving(form, { changed: () => phone.ask(), stored: () => phone.stored(), work: working(form, () => phone.ask()) });
presence(form, saver);
dropping(form);
correcting(form);

function replace() {
  if (!phone.replaced()) return false;
  text.select();
  insert(text, phone.replaced());
  return true;
}

form.addEventListener("click", (event) => {
  if (event.target.closest("[data-replace]") && replace()) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key === "s") saver.now();
  else if (command && event.key === "Enter") form.requestSubmit(form.querySelector("[name=review]"));
  else if (event.altKey && event.key === "PageDown") phone.step(1);
  else if (event.altKey && event.key === "PageUp") phone.step(-1);
  else if (event.altKey && event.code === "KeyR") replace();
  else return;
  event.preventDefault();
});
