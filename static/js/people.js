// Suggestions below the lines for recipients: an ARIA combobox. Only a list; what is typed stays as typed.
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

function combobox(form, field, list) {
  let timer = 0;
  let asked = 0;
  let chosen = -1;

  const options = () => [...list.children];

  function close() {
    asked += 1;
    list.hidden = true;
    chosen = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function choose(next) {
    const all = options();
    chosen = (next + all.length) % all.length;
    all.forEach((option, at) => option.setAttribute("aria-selected", String(at === chosen)));
    all[chosen].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", all[chosen].id);
  }

  function take(option) {
    const { from, to } = part(field);
    const before = field.value.slice(0, from) + (from ? " " : "");
    const after = field.value.slice(to).replace(/^[,;\s]+/, "");
    field.value = `${before}${option.dataset.text}, ${after}`;
    const place = before.length + option.dataset.text.length + 2;
    field.setSelectionRange(place, place);
    close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function show(people) {
    list.replaceChildren(...people.map((person, at) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${at}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.text = person.text;
      const name = document.createElement("bdi");
      name.textContent = person.name || person.address;
      const address = document.createElement("small");
      address.dir = "ltr";
      address.textContent = person.name ? person.address : "";
      option.append(name, address);
      return option;
    }));
    chosen = -1;
    field.removeAttribute("aria-activedescendant");
    list.hidden = people.length === 0;
    field.setAttribute("aria-expanded", String(people.length > 0));
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
    if (number === asked && said) show(said.people);
  }

  field.addEventListener("input", (event) => {
    if (!event.isTrusted) return; // of our own
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen < 0 ? -1 : chosen - 1);
    else if (event.key === "Escape") close();
    else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0 && !event.ctrlKey) take(options()[chosen]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault(); // the field keeps the focus
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
}

export function suggestPeople(form) {
  for (const list of form.querySelectorAll("[data-suggested]")) {
    const field = form.elements[list.dataset.suggested];
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id })) field.setAttribute(name, value);
    combobox(form, field, list);
  }
}
