// The search box: words it understands, as one begins to type them; and what was looked for before,
// on this device alone and only where the reader asked for that.
import { combobox, option } from "./combobox.js";

const MOST = 8; // searches that are remembered
const STORED = "searches-"; // and whose they are

function remembered(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

function remember(key, words) {
  const kept = [words, ...remembered(key).filter((one) => one !== words)].slice(0, MOST);
  try { localStorage.setItem(key, JSON.stringify(kept)); } catch { /* a private window keeps nothing */ }
}

// Where it was not asked for, or no longer is, nothing stays.
function forget() {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(STORED)) localStorage.removeItem(key);
  } catch { /* there is nothing */ }
}

function suggest(form, known) {
  const field = form.elements.q;
  const list = form.querySelector("[data-words]");
  const key = form.dataset.history && STORED + form.dataset.history;
  const show = combobox(field, list, take);

  function word() {
    const before = field.value.slice(0, field.selectionStart);
    return before.slice(before.lastIndexOf(" ") + 1).replace(/^[-("]+/, "");
  }

  function take(one) {
    if (one.dataset.whole) {
      field.value = one.dataset.text;
      form.requestSubmit();
      return;
    }
    const at = field.selectionStart;
    const text = one.dataset.text + (one.dataset.text.endsWith(":") ? "" : " ");
    field.setRangeText(text, at - word().length, at, "end");
    show([]);
    begin();
  }

  function begin() {
    const typed = word().toLowerCase();
    if (field.value === "" && key) {
      show(remembered(key).map((words, at) => {
        const text = document.createElement("bdi");
        text.textContent = words;
        const made = option(`${list.id}-${at}`, words, text);
        made.dataset.whole = "yes";
        return made;
      }));
      return;
    }
    const fits = known.filter((one) => typed && one.dataset.text !== typed && one.dataset.text.startsWith(typed));
    show(fits.map((one) => one.cloneNode(true)));
  }

  field.addEventListener("input", begin);
  field.addEventListener("focus", begin);
  form.addEventListener("submit", () => { if (key && field.value.trim()) remember(key, field.value.trim()); });
}

const forms = [...document.querySelectorAll("form[data-suggest]")];
for (const form of forms) suggest(form, [...form.querySelectorAll("[data-words] > li")]);
if (forms.length > 0 && !forms[0].dataset.history) forget();
