// A form carries the token of the sign-in under which its page was loaded. After a sign-in since then, in any window of this browser, the
// cookie has a newer one: whatever is sent, by a press or by a script, carries that.
const COOKIE = /(?:^|; )(?:__Host-)?csrftoken=([^;]+)/;

document.addEventListener("formdata", ({ formData }) => {
  const token = document.cookie.match(COOKIE)?.[1];
  if (token && formData.has("csrfmiddlewaretoken")) formData.set("csrfmiddlewaretoken", token);
});
