// Buttons that write words into a field, at the cursor or over what is marked, so that the browser can undo it.
for (const row of document.querySelectorAll("[data-inserts]")) row.hidden = false;

export function insert(field, words) {
  field.focus();
  if (document.execCommand("insertText", false, words)) return; // deprecated, and the only way that keeps what can be undone
  field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert][data-into]");
  if (button) insert(document.getElementById(button.dataset.into), button.dataset.insert);
});
