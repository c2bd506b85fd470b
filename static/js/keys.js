// Single keys, as mail readers know them; never while typing, never with a modifier held,
// and not at all when the reader has switched them off.
const TOGETHER = 1_500; // ms in which the second key of two follows the first
const $ = (selector) => document.querySelector(selector);

function areOff() {
  return document.documentElement.dataset.keys === "off";
}

function follow(selector) {
  const link = $(selector);
  if (link) link.click();
  return Boolean(link);
}

function rows() {
  return [...document.querySelectorAll("[data-row]")];
}

function step(ahead) {
  if ($("[data-message]")) return follow(ahead > 0 ? '[rel="next"]' : '[rel="prev"]');
  const all = rows();
  const at = all.indexOf(document.activeElement?.closest(".row")?.querySelector("[data-row]"));
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + ahead))];
  next?.focus();
  return Boolean(next);
}

function press(value) {
  return follow(`[data-message] .pane-head button[value="${value}"], [data-message] .menu button[value="${value}"]`);
}

function onRow(verb) {
  const row = document.activeElement?.closest(".row");
  const button = row?.querySelector(`button[value^="${verb}:"]`);
  if (button) button.click();
  return Boolean(button);
}

// What is ticked; else the open message; else the row with the focus.
function deed(verb) {
  const bulk = $(`.bulk button[value="${verb}"]`);
  if (bulk && $(".row-check:checked")) {
    bulk.click();
    return true;
  }
  if (press(verb) || onRow(verb)) return true;
  if (!bulk || $("[data-message]") || !tick()) return false;
  bulk.click();
  return true;
}

function tickAll(on) {
  const every = $("[data-all]");
  if (!every) return false;
  every.checked = on;
  every.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

function tick() {
  const box = document.activeElement?.closest(".row")?.querySelector(".row-check");
  if (box) box.click();
  return Boolean(box);
}

function goTo(folder) {
  return follow(`a[href="/mail/${folder}"]`);
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => { const row = document.activeElement?.closest?.("[data-row]"); if (row) row.click(); return Boolean(row); },
  u: () => follow("[data-message] [data-back], [data-back]"),
  x: tick,
  s: () => follow("[data-message] .star-btn") || onRow("star") || onRow("unstar"),
  e: () => deed("archive"),
  "#": () => deed("delete"),
  "!": () => deed("spam"),
  I: () => deed("read"),
  U: () => deed("unread"),
  c: () => follow('[data-key="c"]'),
  r: () => follow('[data-message] a[href*="/compose/reply/"]'),
  a: () => follow('[data-message] a[href*="/compose/reply-all/"]'),
  f: () => follow('[data-message] a[href*="/compose/forward/"]'),
  z: () => follow("[data-undo]"),
  "/": () => { const field = $("[data-search]"); field?.focus(); field?.select(); return Boolean(field); },
  "?": () => { $("#keys")?.togglePopover(); return true; },
  "g i": () => goTo("inbox"),
  "g s": () => goTo("starred"),
  "g t": () => goTo("sent"),
  "g d": () => goTo("drafts"),
  "g a": () => goTo("archive"),
  "* a": () => tickAll(true),
  "* n": () => tickAll(false),
};

function isTyping(target) {
  return target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
}

let first = "";
let timer = 0;

function begins(key) {
  return Object.keys(KEYS).some((keys) => keys.startsWith(`${key} `));
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
  if (event.key === "Shift" || (event.key !== "?" && areOff())) return;
  const keys = first ? `${first} ${event.key}` : event.key;
  clearTimeout(timer);
  first = "";
  if (Object.hasOwn(KEYS, keys)) {
    if (KEYS[keys]()) event.preventDefault();
  } else if (begins(keys)) {
    first = keys;
    timer = setTimeout(() => { first = ""; }, TOGETHER);
  }
});

$("[data-keys-switch]")?.addEventListener("change", ({ target: choice }) => {
  const body = new FormData(choice.form);
  body.set("keys", choice.checked ? "on" : "off");
  document.documentElement.dataset.keys = body.get("keys");
  fetch(choice.form.action, { method: "POST", body, redirect: "manual" }).catch(() => {});
});
