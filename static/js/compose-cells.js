// Cells of rejected rows that are being corrected. They are taken in by a press and not while one types: until then the tab keeps them (kept),
// and the page is not left without a question.
export const isCell = (name) => name.startsWith("cell-");

export function correcting(form) {
  const part = form.querySelector("[data-part=rows]");
  let leaving = false;
  form.addEventListener("submit", (event) => { leaving = !event.defaultPrevented; });
  window.addEventListener("pageshow", () => { leaving = false; });
  window.addEventListener("beforeunload", (event) => {
    const changed = [...part.querySelectorAll("input[id]")].some((one) => one.value !== one.defaultValue);
    if (changed && !leaving) event.preventDefault();
  });
}
