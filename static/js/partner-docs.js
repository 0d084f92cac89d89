// /api/docs/: copy a block, and close the navigation where it would fill a phone. Without script everything can still be read.
import { gettext } from "./words.js";

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  const words = button.firstChild;
  const code = button.closest(".block").querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
    words.textContent = gettext("Copied");
  } catch {
    // no clipboard without https: the block is selected, and the reader's own keys copy it
    getSelection().selectAllChildren(code);
    words.textContent = gettext("Selected");
  }
  setTimeout(() => { words.textContent = gettext("Copy"); }, 2000);
});

const narrow = matchMedia("(max-width: 760px)");
const contents = document.querySelector("[data-narrow-closed]");
const fit = () => { if (contents) contents.open = !narrow.matches; };
fit();
narrow.addEventListener("change", fit);
