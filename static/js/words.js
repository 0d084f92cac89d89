// Sentences of scripts in the page's language. Other languages than English bring a catalogue of their own (components/head.html).
export function gettext(text, facts = {}) {
  const said = globalThis.django?.gettext?.(text) ?? text;
  return said.replace(/%\((\w+)\)s/g, (whole, name) => facts[name] ?? whole);
}
