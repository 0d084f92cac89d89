// How many segments a text takes, for the line under the composer while one types. The server counts again, over every row with
// its substitutions, and its count is the one that matters (sms/text.py).
const GSM =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const GSM_TWICE = "\f^{}\\[~]|€";

export function culprits(text) {
  return [...new Set([...text].filter((char) => !GSM.includes(char) && !GSM_TWICE.includes(char)))];
}

// Characters must not be split over two segments: one that does not fit takes its whole room in the next.
function parts(sizes, whole, each) {
  const units = sizes.reduce((sum, size) => sum + size, 0);
  if (units <= whole) return { units, count: units ? 1 : 0 };
  let count = 1, filled = 0;
  for (const size of sizes) {
    if (filled + size > each) { count += 1; filled = 0; }
    filled += size;
  }
  return { units, count };
}

export function segments(text) {
  const chars = [...text];
  if (culprits(text).length) return { encoding: "ucs2", ...parts(chars.map((char) => char.length), 70, 67) };
  return { encoding: "gsm7", ...parts(chars.map((char) => (GSM_TWICE.includes(char) ? 2 : 1)), 160, 153) };
}
