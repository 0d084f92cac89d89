// Buttons that write words into a field, at the cursor.
for (const row of document.querySelectorAll("[data-inserts]")) row.hidden = false;
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert][data-into]");
  if (!button) return;
  const field = document.getElementById(button.dataset.into);
  field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});
