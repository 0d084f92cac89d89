// A button beside every key, secret and address that is there to be copied. Without it they can be selected with one press.
import { gettext } from "./words.js";

const DONE = 2000; // milliseconds that the button says so

async function copy(shown, text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // not on https: the older way, by what is selected
  if (shown.select) shown.select();
  else getSelection().selectAllChildren(shown);
  if (!document.execCommand("copy")) throw new Error("not copied");
}

let count = 0;
for (const shown of document.querySelectorAll("code.copy, input[readonly]")) {
  shown.id ||= `copied-${(count += 1)}`;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button small", textContent: gettext("Copy") });
  button.setAttribute("aria-describedby", shown.id);
  const said = Object.assign(document.createElement("span"), { className: "quiet" });
  said.setAttribute("role", "status");
  const line = Object.assign(document.createElement("div"), { className: "actions copies" });
  line.append(button, said);
  shown.after(line);
  button.addEventListener("click", async () => {
    try {
      await copy(shown, shown.value ?? shown.textContent.trim());
      said.textContent = gettext("Copied.");
    } catch {
      said.textContent = gettext("Your browser did not let it be copied. Select it and press Ctrl C.");
    }
    setTimeout(() => { said.textContent = ""; }, DONE);
  });
}
