// Rich text: Squire in the place of the plain text field, its HTML in a hidden one beside it.
// What goes into the page comes from the sanitiser alone; the server keeps its own list of what may go out.
import DOMPurify from "../vendor/purify.mjs";
import Squire from "../vendor/squire.mjs";
import { swapSigned } from "./signature.js";
import { Pictures } from "./pictures.js";
import { toolbar } from "./tools.js";

const ALLOWED = {
  USE_PROFILES: { html: true },
  FORBID_TAGS: ["style", "form", "button", "select", "textarea", "option", "video", "audio", "source", "track", "picture", "dialog", "template", "slot", "area", "map"],
  FORBID_ATTR: ["id", "name", "background", "poster", "srcset", "usemap", "popovertarget", "form"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};
const BOOKMARK = /^squire-selection-(start|end)$/; // what the editor's own undo leaves in its HTML

// Neither a picture nor a style of pasted text may fetch anything.
function tame(pictures) {
  DOMPurify.addHook("uponSanitizeElement", (node) => {
    if (node.nodeName === "INPUT" && !BOOKMARK.test(node.id)) node.remove();
  });
  DOMPurify.addHook("uponSanitizeAttribute", (node, data) => {
    if (data.attrName === "id" && node.nodeName === "INPUT" && BOOKMARK.test(data.attrValue)) data.forceKeepAttr = true;
    if (data.attrName === "style" && /url|image|expression|var|position|\\/i.test(data.attrValue)) data.keepAttr = false;
    if (data.attrName === "src") {
      const source = pictures.source(data.attrValue);
      data.keepAttr = source !== null;
      if (source !== null) data.attrValue = source;
    }
  });
}

class Editor extends Squire {
  // The editor's own way puts a plain string into the page.
  _setRawHTML(html) {
    return super._setRawHTML(DOMPurify.sanitize(html, { ...ALLOWED, RETURN_TRUSTED_TYPE: true }));
  }
}

function asFragment(html) {
  return document.importNode(DOMPurify.sanitize(html, { ...ALLOWED, RETURN_DOM_FRAGMENT: true }), true);
}

// Puts the editor beside the plain text field and returns what the page does with it.
export function richText(form) {
  const box = form.querySelector("[data-rich]");
  const root = box.querySelector("[data-editor]");
  const tools = box.querySelector("[data-tools]");
  const toggle = box.querySelector("[data-format]");
  const plain = form.elements.message;
  const value = form.elements.html;
  const pictures = new Pictures(box);
  tame(pictures);
  const editor = new Editor(root, {
    blockAttributes: { dir: "auto" },
    tagAttributes: { blockquote: { type: "cite" } },
    sanitizeToDOMFragment: asFragment,
    didError: () => {}, // its text could quote the mail
  });
  let rich = false;
  let begun = box.dataset.html; // the mail that is answered, with its forms, until the text is changed
  const first = plain.value;

  const changed = () => form.dispatchEvent(new Event("input"));

  function show(formatted) {
    rich = formatted;
    root.hidden = tools.hidden = !rich;
    plain.hidden = rich;
    form.toggleAttribute("data-formatted", rich);
    toggle.textContent = rich ? toggle.dataset.plain : toggle.dataset.formatted;
  }

  async function turn(field, text) {
    const body = new FormData();
    body.set("csrf", form.elements.csrf.value);
    body.set(field, text);
    const answer = await fetch(form.dataset.turn, { method: "POST", body, redirect: "manual" }).catch(() => null);
    return answer?.ok ? answer.json().catch(() => null) : null;
  }

  async function format() {
    toggle.setAttribute("aria-busy", "true");
    if (rich) {
      const turned = await turn("html", html());
      if (turned) {
        plain.value = turned.text;
        begun = "";
        show(false);
        plain.focus();
      }
    } else {
      const turned = begun && plain.value === first ? { html: begun } : await turn("message", plain.value || "\n");
      if (turned) {
        editor.setHTML(turned.html);
        show(true);
        editor.moveCursorToStart().focus();
      }
    }
    toggle.removeAttribute("aria-busy");
    changed();
  }

  function html() {
    return pictures.named(editor.getHTML());
  }

  function insert(files) {
    for (const file of files) {
      pictures.add(file).then((address) => {
        if (address) editor.insertImage(address, { alt: file.name });
        changed();
      });
    }
  }

  toggle.addEventListener("click", format);
  // Beside plain text it is out of sight: what moves in it then is no word of the writer's.
  editor.addEventListener("input", () => { if (rich) changed(); });
  editor.addEventListener("pasteImage", (event) => insert([...event.detail.clipboardData.files]));
  editor.addEventListener("willPaste", (event) => {
    for (const image of event.detail.fragment?.querySelectorAll("img") ?? []) pictures.adopt(image);
  });
  toolbar(box, editor, insert);
  box.hidden = false;
  if (box.hasAttribute("data-begin")) {
    editor.setHTML(begun);
    editor.moveCursorToStart();
    show(true);
    if (document.activeElement === plain || plain.hasAttribute("autofocus")) editor.focus();
  }

  return {
    isRich: () => rich,
    insert,
    pictures,
    // The hidden field is what the server reads.
    sync: () => { value.value = rich ? html() || "<div></div>" : ""; },
    swap: (old, now) => { if (rich) swapSigned(editor, old, now); return rich; },
    // What the writer said, without what is quoted.
    own: () => {
      const copy = root.cloneNode(true);
      for (const quote of copy.querySelectorAll("blockquote")) quote.remove();
      return copy.textContent;
    },
  };
}
