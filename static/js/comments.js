// A comment that is typed is kept in this window until it stands among the others: signing in again in between, or going back, loses nothing.
for (const part of document.querySelectorAll("[data-comments]")) {
  const text = part.querySelector("[data-keep=comment]");
  const begun = part.querySelector("[data-keep=begun]");
  if (!text || !begun) continue;
  const key = `comment ${part.dataset.comments}`;
  const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
  if (kept && document.querySelector(`[data-begun="${kept.begun}"]`)) sessionStorage.removeItem(key);
  else if (kept && !text.value) {
    text.value = kept.text;
    begun.value = kept.begun;
  }
  text.addEventListener("input", () => {
    if (text.value) sessionStorage.setItem(key, JSON.stringify({ text: text.value, begun: begun.value }));
    else sessionStorage.removeItem(key);
  });
}
