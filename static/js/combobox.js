// A field with a list of suggestions below it (ARIA combobox). `take` is called with the option that
// was chosen; what is typed stays as typed until then.
const ROLES = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false" };

export function option(id, text, ...parts) {
  const made = document.createElement("li");
  made.id = id;
  made.setAttribute("role", "option");
  made.setAttribute("aria-selected", "false");
  made.dataset.text = text;
  made.append(...parts);
  return made;
}

export function combobox(field, list, take) {
  let chosen = -1;
  for (const [name, value] of Object.entries({ ...ROLES, "aria-controls": list.id })) field.setAttribute(name, value);

  function show(options) {
    list.replaceChildren(...options);
    chosen = -1;
    field.removeAttribute("aria-activedescendant");
    list.hidden = options.length === 0;
    field.setAttribute("aria-expanded", String(options.length > 0));
  }

  function choose(next) {
    const all = [...list.children];
    chosen = (next + all.length) % all.length;
    all.forEach((one, at) => one.setAttribute("aria-selected", String(at === chosen)));
    all[chosen].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", all[chosen].id);
  }

  field.addEventListener("blur", () => show([]));
  field.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen < 0 ? -1 : chosen - 1);
    else if (event.key === "Escape") show([]);
    else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0 && !event.ctrlKey) take(list.children[chosen]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault(); // the field keeps the focus
    const one = event.target.closest("[role=option]");
    if (one) take(one);
  });
  return show;
}
