// A file that is dropped on the part for recipients is chosen there, as if by its button.
export function dropping(form) {
  const zone = form.querySelector("[data-drop]");
  const input = form.elements.file;
  const files = (event) => event.dataTransfer?.types.includes("Files") && !input.disabled;
  form.querySelector("[data-drop-hint]").hidden = input.disabled;

  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => {
      if (!files(event)) return;
      event.preventDefault();
      zone.dataset.drop = "over";
    });
  }
  zone.addEventListener("dragleave", (event) => { if (!zone.contains(event.relatedTarget)) zone.dataset.drop = ""; });
  zone.addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    zone.dataset.drop = "";
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]); // a draft has one
    input.files = one.files;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
