// Suggestions below the lines for recipients. Only a list; what is typed stays as typed.
import { combobox, option } from "./combobox.js";

const PAUSE = 150;

// The part of the list in which the cursor stands: names may hold commas between quotation marks.
function part(field) {
  const text = field.value;
  let from = 0;
  let quoted = false;
  for (let at = 0; at < field.selectionStart; at += 1) {
    if (text[at] === '"') quoted = !quoted;
    else if (!quoted && /[,;]/.test(text[at])) from = at + 1;
  }
  const rest = text.slice(field.selectionStart).search(/[,;]/);
  const to = rest < 0 ? text.length : field.selectionStart + rest;
  return { from, to, typed: text.slice(from, field.selectionStart).trim() };
}

function suggest(form, field, list) {
  let timer = 0;
  let asked = 0;
  const show = combobox(field, list, take);

  function take(one) {
    const { from, to } = part(field);
    const before = field.value.slice(0, from) + (from ? " " : "");
    const after = field.value.slice(to).replace(/^[,;\s]+/, "");
    field.value = `${before}${one.dataset.text}, ${after}`;
    const place = before.length + one.dataset.text.length + 2;
    field.setSelectionRange(place, place);
    close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function close() {
    asked += 1;
    show([]);
  }

  function optionFor(person, at) {
    const name = document.createElement("bdi");
    name.textContent = person.name || person.address;
    const address = document.createElement("small");
    address.dir = "ltr";
    address.textContent = person.name ? person.address : "";
    return option(`${list.id}-${at}`, person.text, name, address);
  }

  async function ask() {
    const { typed } = part(field);
    const number = asked += 1;
    if (!typed || document.activeElement !== field) return close();
    const body = new FormData();
    body.set("csrf", form.elements.csrf.value);
    body.set("typed", typed);
    const answer = await fetch(form.dataset.people, { method: "POST", body, redirect: "manual" }).catch(() => null);
    const said = answer?.ok ? await answer.json().catch(() => null) : null;
    if (number === asked && said) show(said.people.map(optionFor));
  }

  field.addEventListener("input", (event) => {
    if (!event.isTrusted) return; // of our own
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  field.addEventListener("blur", () => { asked += 1; });
}

export function suggestPeople(form) {
  for (const list of form.querySelectorAll("[data-suggested]")) suggest(form, form.elements[list.dataset.suggested], list);
}
