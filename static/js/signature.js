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

// In rich text: the element that the server marked, if nobody has changed it.
export function swapSigned(editor, old, now) {
  const words = (signature) => [DELIMITER.trim(), ...signature.split("\n")].join("").replace(/\s/g, "");
  const root = editor.getRoot();
  const found = [...root.querySelectorAll(".la-signature")].find((one) => !one.closest("blockquote"));
  if (found && found.textContent.replace(/\s/g, "") !== words(old)) return;
  if (!found && old) return; // it was taken out
  editor.saveUndoState();
  const signed = document.createElement("div");
  signed.className = "la-signature";
  for (const line of ["-- ", ...now.split("\n")]) {
    if (signed.hasChildNodes()) signed.append(document.createElement("br"));
    signed.append(line);
  }
  if (found && now) found.replaceWith(signed);
  else if (found) found.remove();
  else if (now) {
    const quote = root.querySelector(":scope > blockquote");
    const above = quote?.previousElementSibling ?? quote;
    if (above) above.before(signed);
    else root.append(signed);
  }
}

export function followIdentity(form, editor) {
  const from = form.elements.from;
  const words = form.elements.message;
  const signature = () => from.selectedOptions[0]?.dataset.signature ?? "";
  let old = signature();
  from.addEventListener("change", () => {
    if (!editor()?.swap(old, signature())) words.value = signed(words.value, old, signature(), words.defaultValue);
    old = signature();
  });
}
