// The page for when there is no line: what can be read on this device, and what cannot be done.
import { read, remove, waiting } from "./outbox.js";
import { messages, person } from "./vault.js";

const AGAIN = 1_000; // ms
const SELDOM = 30_000;
const box = document.querySelector("[data-offline-page]");
const { lang } = document.documentElement;
const day = new Intl.DateTimeFormat(lang, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

function part(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  if (name !== "row-time") element.dir = "auto";
  return element;
}

function row(message) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  item.className = "row";
  link.className = "row-link";
  link.href = message.url;
  link.append(part("row-from", message.from), part("row-time", day.format(message.received * 1000)), part("row-subject", message.subject));
  item.append(link);
  return item;
}

// A device may say that it has a line again before it has one.
async function back(wait) {
  const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) setTimeout(back, wait, Math.min(wait * 2, SELDOM));
  else if (location.pathname === "/offline") location.replace("/");
  else location.reload();
}

async function show() {
  const { since, found } = await messages().catch(() => ({ since: null, found: [] }));
  const field = box.querySelector("[data-among]");
  const list = box.querySelector("[data-found]");
  const fill = () => {
    const words = field.value.toLocaleLowerCase(lang).split(/\s+/);
    const fits = ({ from, subject }) => words.every((word) => `${from} ${subject}`.toLocaleLowerCase(lang).includes(word));
    list.replaceChildren(...found.filter(fits).map(row));
  };
  for (const one of box.querySelectorAll("[data-when-there]")) one.hidden = !found.length;
  box.querySelector("[data-when-none]").hidden = found.length > 0;
  if (since) box.querySelector("time").textContent = day.format(since);
  field.addEventListener("input", fill);
  fill();
}

async function item(record) {
  const letter = await read(record);
  const element = box.querySelector("template").content.firstElementChild.cloneNode(true);
  element.querySelector("[data-to]").textContent = letter.value("to");
  element.querySelector("[data-subject]").textContent = letter.value("subject");
  element.querySelector("[data-when]").textContent = day.format(record.at);
  element.querySelector("[data-refused]").hidden = !record.problem;
  const change = element.querySelector("[data-change]");
  change.href += `?waiting=${record.id}`;
  change.hidden = record.tried;
  element.querySelector("[data-remove]").addEventListener("click", async () => {
    await remove(record.id);
    showWaiting();
  });
  return element;
}

async function showWaiting() {
  const there = await person().then(({ who }) => waiting(who)).catch(() => []); // a log-out clears it all
  const section = box.querySelector("[data-waiting]");
  section.hidden = !there.length;
  section.querySelector("ul").replaceChildren(...await Promise.all(there.map(item)));
}

if (box) {
  show();
  showWaiting();
  if (!("stays" in box.dataset)) setTimeout(back, AGAIN, AGAIN);
  addEventListener("online", () => back(AGAIN));
}
