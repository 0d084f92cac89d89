// Comfort on the compose page; without it everything still works.
const form = document.querySelector("[data-compose]");
const text = form?.querySelector("[name=text]");
const bubble = form?.querySelector("[data-bubble]");
const when = form?.querySelectorAll("[name=when]") ?? [];
const time = form?.querySelector("[data-time]");

function preview() {
  if (bubble && text) bubble.textContent = text.value || bubble.dataset.empty;
}

function showTime() {
  if (time) time.hidden = form.querySelector("[name=when]:checked")?.value !== "later";
}

text?.addEventListener("input", preview);
when.forEach((choice) => choice.addEventListener("change", showTime));
preview();
showTime();
