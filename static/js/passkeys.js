// Passkeys: asks the browser for one, and posts what it gives. A form that has `data-passkey` is of one kind:
// `create` adds one, `get` uses one; the options stand in the page (`data-options`), or come from the form's address.
import { gettext } from "./words.js";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

const SAYS = {
  NotAllowedError: gettext("Nothing was done: it was cancelled, or it took too long. Try again, or use another way."),
  InvalidStateError: gettext("This device has a passkey for this account already. Take another device, or use that one."),
  SecurityError: gettext("Passkeys work only where Textdesk is opened at its own address. Ask your admin for it."),
  NotSupportedError: gettext("This browser or this device cannot do that. Take another one, or use an authenticator app."),
};

async function create(options, alone) {
  const asked = { ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) } };
  asked.excludeCredentials = named(options.excludeCredentials);
  const kept = alone ? "required" : "discouraged";
  asked.authenticatorSelection = { ...options.authenticatorSelection, residentKey: kept, requireResidentKey: alone };
  if (alone) asked.authenticatorSelection.userVerification = "required";
  const made = await navigator.credentials.create({ publicKey: asked });
  const response = { clientDataJSON: text(made.response.clientDataJSON), attestationObject: text(made.response.attestationObject) };
  return { made, response };
}

async function get(options) {
  const asked = { ...options, challenge: bytes(options.challenge), allowCredentials: named(options.allowCredentials) };
  const made = await navigator.credentials.get({ publicKey: asked });
  const response = {
    clientDataJSON: text(made.response.clientDataJSON),
    authenticatorData: text(made.response.authenticatorData),
    signature: text(made.response.signature),
    userHandle: made.response.userHandle ? text(made.response.userHandle) : null,
  };
  return { made, response };
}

async function optionsOf(form) {
  if (form.dataset.options) return JSON.parse(document.getElementById(form.dataset.options).textContent);
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(gettext("Textdesk does not answer at the moment. Wait a minute, and try again."));
  return answer.json();
}

async function pressed(form) {
  const isNew = form.dataset.passkey === "create";
  const given = await optionsOf(form);
  const { publicKey } = isNew ? given.creation_options : given.request_options;
  const { made, response } = isNew ? await create(publicKey, Boolean(form.elements.passwordless?.checked)) : await get(publicKey);
  const results = made.getClientExtensionResults();
  form.elements.credential.value = JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: results });
  form.submit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const said = form.querySelector("[data-passkey-said]");
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    said.hidden = true;
    pressed(form).catch((problem) => {
      said.textContent = SAYS[problem.name] || problem.message;
      said.hidden = false;
    });
  });
}
