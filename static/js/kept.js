// A copy of what is typed stays in the tab, by page and form, until it is stored: after a press that failed, a page that broke off, or a tab
// that was closed by mistake and opened again, the page offers it. Never passwords, codes or secrets; it ends with signing out. A browser keeps no
// file for a page: what was chosen is named beside its field.
import { gettext } from "./words.js";

const PREFIX = "kept:", LEAVING = "kept-leaving";
const NOT_KEPT = "[type=password], [type=hidden], [type=submit], [type=button], [autocomplete=one-time-code], [data-secret], [data-keep]";
const person = document.body.dataset.person;
const store = window.sessionStorage;

const read = (key) => JSON.parse(store.getItem(key) ?? "null");
function write(key, value) {
  try { store.setItem(key, JSON.stringify(value)); } catch { /* larger than a tab may keep */ }
}
const kept = () => Object.keys(store).filter((key) => key.startsWith(PREFIX));

const isWritten = (form) => form?.getAttribute("method")?.toLowerCase() === "post" && form.closest("#content");
const written = () => [...document.querySelectorAll("#content form[method=post]")];
const kindOf = (form) => form.dataset.kept ?? (form.id || form.getAttribute("action") || "");
// Forms of one kind are told apart by their order on the page.
function keyOf(form, path = location.pathname) {
  const kind = kindOf(form);
  return `${PREFIX}${person}:${path}:${kind}:${written().filter((one) => kindOf(one) === kind).indexOf(form)}`;
}

// The fields of a form, each under a name of its own.
function fieldsOf(form) {
  const found = new Map();
  for (const field of form.elements) {
    if (!field.name || !field.matches("input, textarea, select") || field.matches(NOT_KEPT)) continue;
    const ticked = field.type === "checkbox" || field.type === "radio";
    let name = ticked ? `${field.name}=${field.value}` : field.name;
    while (found.has(name)) name += "+";
    found.set(name, field);
  }
  return found;
}
const ticked = (field) => field.type === "checkbox" || field.type === "radio";
const isFile = (field) => field.type === "file";
const valueOf = (field) => isFile(field) ? [...field.files].map((one) => one.name) : ticked(field) ? field.checked : field.multiple && field.options ? [...field.selectedOptions].map((one) => one.value) : field.value;
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
function shownOf(field) {
  if (isFile(field)) return [];
  if (ticked(field)) return field.defaultChecked;
  if (!field.options) return field.defaultValue;
  const chosen = [...field.options].filter((one) => one.defaultSelected).map((one) => one.value);
  return field.multiple ? chosen : chosen.at(-1) ?? field.options[0]?.value ?? "";
}
function put(field, value) {
  if (ticked(field)) field.checked = value;
  else if (field.multiple && field.options) for (const one of field.options) one.selected = value.includes(one.value);
  else field.value = value;
}

const offered = new WeakMap(); // by form: names of fields that were lost, until they are put back or discarded
const places = new WeakMap(); // by form: where its copy is; a draft's page gets its own address with the first save

export function keep(form) {
  if (!person || !isWritten(form)) return;
  const key = keyOf(form), before = places.get(form) ?? key;
  const values = { ...read(before)?.values };
  for (const [name, field] of fieldsOf(form)) {
    const untouched = same(valueOf(field), shownOf(field));
    if (untouched && offered.get(form)?.has(name)) continue;
    if (!untouched || name in values) values[name] = valueOf(field);
  }
  if (before !== key) store.removeItem(before);
  places.set(form, key);
  if (Object.keys(values).length) write(key, { at: Date.now(), values });
}

// What was stored is forgotten, but what the page still offers, and what `stays` says of a field's name that it was not stored.
export function forget(form, stays = () => false) {
  const key = keyOf(form), before = places.get(form) ?? key, copy = read(before);
  const values = Object.entries(copy?.values ?? {}).filter(([name]) => stays(name) || offered.get(form)?.has(name));
  for (const place of [before, key]) store.removeItem(place);
  places.set(form, key);
  if (values.length) write(key, { ...copy, values: Object.fromEntries(values) });
}

function nameLost(form, name, files) {
  const field = fieldsOf(form).get(name);
  const said = Object.assign(document.createElement("p"), { className: "file-lost", id: `${field.id || field.name}-lost` });
  said.textContent = gettext("%(files)s was chosen; choose it again.", { files: files.join(", ") });
  const described = field.getAttribute("aria-describedby");
  field.setAttribute("aria-describedby", described ? `${described} ${said.id}` : said.id);
  field.after(said);
  for (let part = field.parentElement; part; part = part.parentElement) if (part.localName === "details") part.open = true;
  field.addEventListener("input", () => { said.remove(); offered.get(form).delete(name); }, { once: true });
}

function offer(form, { at, values }) {
  const fields = fieldsOf(form);
  const lost = Object.entries(values).filter(([name, value]) => fields.has(name) && !same(valueOf(fields.get(name)), value));
  offered.set(form, new Set(lost.map(([name]) => name)));
  const files = lost.filter(([name]) => isFile(fields.get(name))), words = lost.filter((one) => !files.includes(one));
  for (const [name, chosen] of files) nameLost(form, name, chosen);
  if (!words.length) return;
  const answered = () => { for (const [name] of words) offered.get(form).delete(name); };
  for (let part = form.parentElement; part; part = part.parentElement) if (part.localName === "details") part.open = true;
  const time = new Date(at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  const note = Object.assign(document.createElement("div"), { className: "note warn kept" });
  note.setAttribute("role", "status");
  const button = (words, act) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: "button small", textContent: words });
    made.addEventListener("click", () => { note.remove(); act(); });
    return made;
  };
  const row = Object.assign(document.createElement("div"), { className: "actions" });
  row.append(
    button(gettext("Put it back"), () => {
      answered();
      const now = fieldsOf(form); // a part may have been drawn again
      const back = words.filter(([name]) => now.has(name)).map(([name, value]) => { put(now.get(name), value); return now.get(name); });
      for (const field of back) for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
      back[0]?.focus();
    }),
    button(gettext("Discard it"), () => { answered(); forget(form); }),
  );
  note.append(Object.assign(document.createElement("p"), { textContent: gettext("What you wrote here at %(time)s was not saved.", { time }) }), row);
  form.before(note);
}

// The press before led here: did what it posted take? It did where the desk led on, or shows another page than the form's; not where it
// refused, broke off, or says that it did not.
function tookOf(key) {
  const arrived = performance.getEntriesByType("navigation")[0];
  if (!person || !arrived || arrived.responseStatus >= 400 || arrived.type !== "navigate") return false;
  if (document.querySelector("#content > .note.error")) return false;
  return arrived.redirectCount > 0 || !written().some((form) => keyOf(form, key.path) === key.key);
}
const left = read(LEAVING);
store.removeItem(LEAVING);
if (left && tookOf(left)) store.removeItem(left.key);

if (person) {
  // of whoever had this browser before: only its own person sees a copy
  for (const key of kept()) if (!key.startsWith(`${PREFIX}${person}:`)) store.removeItem(key);
  const changed = ({ target }) => { if (target.form && target.name && !target.matches(NOT_KEPT)) keep(target.form); };
  document.addEventListener("input", changed);
  document.addEventListener("change", changed);
  window.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("action")?.startsWith("/accounts/logout/")) for (const key of kept()) store.removeItem(key);
    else if (!event.defaultPrevented && isWritten(form)) write(LEAVING, { key: keyOf(form), path: location.pathname });
  });
  // By then the browser has put back what it kept itself.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) return;
    for (const form of written()) {
      const copy = read(keyOf(form));
      if (copy) offer(form, copy);
    }
  });
}
// Pages that stand in the way, sign-in among them, say whether something waits in this tab.
for (const line of document.querySelectorAll("[data-kept-here]")) line.hidden = !kept().length;
