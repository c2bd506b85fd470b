// The buttons above the text: pressed as the text is, one stop of the tab key, arrows between them.
const LINK = /^(https?:\/\/|mailto:|tel:)\S/i;

function linking(box, editor) {
  const dialog = box.querySelector("[data-link]");
  const field = dialog.querySelector("input");
  let place = null;

  function end(deed) {
    dialog.close();
    if (place) editor.setSelection(place);
    let address = field.value.trim();
    if (deed === "set" && address) {
      if (!LINK.test(address)) address = address.includes("@") && !address.includes("/") ? `mailto:${address}` : `https://${address}`;
      if (LINK.test(address)) editor.makeLink(address);
    } else if (deed === "remove") editor.removeLink();
    editor.focus();
  }

  for (const button of dialog.querySelectorAll("button")) button.addEventListener("click", () => end(button.value));
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    end("set");
  });
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); end(""); });
  return () => {
    place = editor.getSelection();
    const above = place.commonAncestorContainer;
    const link = (above.nodeType === Node.ELEMENT_NODE ? above : above.parentElement)?.closest("a");
    field.value = link?.getAttribute("href") ?? "";
    dialog.showModal();
    field.focus();
  };
}

export function toolbar(box, editor, insert) {
  const bar = box.querySelector("[data-tools]");
  const buttons = [...bar.querySelectorAll("[data-tool]")];
  const choice = box.querySelector("[data-picture-choice]");
  const on = (tag) => editor.hasFormat(tag);
  const deeds = {
    bold: () => (on("B") ? editor.removeBold() : editor.bold()),
    italic: () => (on("I") ? editor.removeItalic() : editor.italic()),
    underline: () => (on("U") ? editor.removeUnderline() : editor.underline()),
    list: () => (on("UL") ? editor.removeList() : editor.makeUnorderedList()),
    numbers: () => (on("OL") ? editor.removeList() : editor.makeOrderedList()),
    quote: () => (on("BLOCKQUOTE") ? editor.decreaseQuoteLevel() : editor.increaseQuoteLevel()),
    link: linking(box, editor),
    picture: () => choice.click(),
    clear: () => editor.removeAllFormatting(),
  };
  const tags = { bold: "B", italic: "I", underline: "U", list: "UL", numbers: "OL", quote: "BLOCKQUOTE", link: "A" };

  const pressed = () => {
    for (const button of buttons) {
      const tag = tags[button.dataset.tool];
      if (tag) button.setAttribute("aria-pressed", String(on(tag)));
      else button.removeAttribute("aria-pressed");
    }
  };
  for (const kind of ["pathChange", "select", "input"]) editor.addEventListener(kind, pressed);
  editor.setKeyHandler("Ctrl-k", (_, event) => { event.preventDefault(); deeds.link(); });
  editor.setKeyHandler("Meta-k", (_, event) => { event.preventDefault(); deeds.link(); });
  editor.setKeyHandler("Tab", null); // the tab key leaves the text, as from every other field
  editor.setKeyHandler("Shift-Tab", null);

  buttons[0].tabIndex = 0;
  bar.addEventListener("mousedown", (event) => event.preventDefault()); // the selection stays
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tool]");
    if (!button) return;
    deeds[button.dataset.tool]();
    pressed();
  });
  bar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key] * (getComputedStyle(bar).direction === "rtl" ? -1 : 1);
    if (at < 0 || !(step || event.key === "Home" || event.key === "End")) return;
    event.preventDefault();
    const next = step ? (at + step + buttons.length) % buttons.length : event.key === "Home" ? 0 : buttons.length - 1;
    buttons[at].tabIndex = -1;
    buttons[next].tabIndex = 0;
    buttons[next].focus();
  });
  choice.addEventListener("change", () => {
    insert([...choice.files]);
    choice.value = "";
  });
}
