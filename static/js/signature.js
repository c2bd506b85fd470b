// The signature follows the identity, as long as nobody has changed it.
const DELIMITER = "-- \n";

function signed(text, old, now, begun) {
  const before = old && `${DELIMITER}${old}\n`;
  const after = now && `${DELIMITER}${now}\n`;
  if (before) {
    const at = text.lastIndexOf(`\n${before}`);
    if (at < 0) return text;
    return text.slice(0, at + 1) + after + text.slice(at + 1 + before.length);
  }
  if (!after) return text;
  // There was none: below what was written, and above a quote that nobody has touched.
  const quote = begun.replace(/^\n+/, "");
  if (quote && text.endsWith(quote)) return `${text.slice(0, -quote.length)}${after}\n\n${quote}`;
  return `${text.replace(/\n*$/, "")}\n\n${after}`;
}

export function followIdentity(form) {
  const from = form.elements.from;
  const words = form.elements.message;
  const signature = () => from.selectedOptions[0]?.dataset.signature ?? "";
  let old = signature();
  from.addEventListener("change", () => {
    words.value = signed(words.value, old, signature(), words.defaultValue);
    old = signature();
  });
}
