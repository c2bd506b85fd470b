// New mail appears by itself. The server only says that something changed; the list is then asked
// for as anybody would. Of all tabs of a browser one listens, and tells the others.
import { load } from "./load.js";

const IDLE = 10 * 60_000; // what a page asks by itself must not keep a session alive that nobody uses
const SPACING = 3_000; // between two refreshments, however much comes in
const AGAIN = 30_000;
const LEAD = /^\(\d+\) /;
const app = document.querySelector("[data-live]");
const list = document.querySelector("[data-list]");

let used = Date.now();
let refreshed = 0;
let waiting = 0;
let stale = false;

function isUsed() {
  return Date.now() - used < IDLE;
}

function isBusy() {
  return document.querySelector("[popover]:popover-open, details.drop[open], .is-swiped") !== null;
}

function setTitle(lead) {
  document.title = lead + document.title.replace(LEAD, "");
}

function rowOf(id) {
  return list.querySelector(`.row[data-id="${CSS.escape(id)}"]`);
}

// What the reader has done to the list that the server does not know.
function remember() {
  const pane = list.closest(".pane");
  const top = pane.getBoundingClientRect().top;
  const first = pane.scrollTop > 40
    ? [...list.querySelectorAll(".row")].find((row) => row.getBoundingClientRect().bottom > top) : null;
  const focused = document.activeElement?.closest(".row");
  return {
    pane,
    anchor: first && { id: first.dataset.id, at: first.getBoundingClientRect().top },
    ticked: [...list.querySelectorAll(".row-check:checked")].map((tick) => tick.value),
    picking: list.querySelector("[data-pick]")?.checked,
    selected: list.querySelector(".is-selected")?.dataset.id,
    focus: focused && { id: focused.dataset.id, on: document.activeElement.matches(".row-check") ? ".row-check" : "[data-row]" },
  };
}

function putBack(kept) {
  for (const id of kept.ticked) {
    const tick = rowOf(id)?.querySelector(".row-check");
    if (tick) tick.checked = true;
  }
  const pick = list.querySelector("[data-pick]");
  if (pick && kept.picking) pick.checked = true;
  const open = kept.selected && rowOf(kept.selected);
  if (open) {
    open.classList.add("is-selected");
    open.querySelector("[data-row]").setAttribute("aria-current", "true");
  }
  if (kept.focus) rowOf(kept.focus.id)?.querySelector(kept.focus.on)?.focus({ preventScroll: true });
  const anchor = kept.anchor && rowOf(kept.anchor.id);
  if (anchor) kept.pane.scrollTop += anchor.getBoundingClientRect().top - kept.anchor.at;
  list.dispatchEvent(new Event("change"));
}

function exchange(fresh) {
  const news = fresh.querySelector("[data-list]");
  const known = new Set([...list.querySelectorAll(".row")].map((row) => row.dataset.id));
  const added = [...news.querySelectorAll(".row.is-unread")].some((row) => !known.has(row.dataset.id));
  const kept = remember();
  list.dataset.pulse = news.dataset.pulse;
  list.replaceChildren(...news.childNodes);
  putBack(kept);
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (other && !part.contains(document.activeElement)) part.replaceChildren(...other.childNodes);
  }
  setTitle(fresh.title.match(LEAD)?.[0] ?? "");
  if (added) app.querySelector("[data-news]").textContent = app.dataset.says;
}

async function refresh() {
  waiting = 0;
  if (isBusy()) {
    soon();
    return;
  }
  refreshed = Date.now();
  stale = false;
  const fresh = await load(list.getAttribute("action"));
  if (fresh?.querySelector("[data-list]")) exchange(fresh);
  else if (fresh) leave();
  else stale = true; // the server is away; the stream tells when it is back
}

function soon() {
  waiting ||= setTimeout(refresh, Math.max(200, refreshed + SPACING - Date.now()));
}

async function ask() {
  const answer = await fetch(list.dataset.pulseUrl, { redirect: "manual" }).catch(() => null);
  if (answer?.type === "opaqueredirect") leave();
  return answer?.ok ? answer.json() : null;
}

// Nobody has touched the page for a while: the number in the title, and the list when they are back.
async function count() {
  stale = true;
  const news = await ask();
  if (news) setTitle(news.unread ? `(${news.unread}) ` : "");
}

// The session ended: mail must not stay on the screen.
function leave() {
  location.replace(app.dataset.out);
}

async function compare() {
  const news = await ask();
  if (news && news.pulse !== list.dataset.pulse) hear("changed");
}

function hear(word) {
  if (word === "ended") leave();
  else if (word === "ready") compare();
  else if (isUsed()) soon();
  else count();
}

function listen(tell) {
  const source = new EventSource(app.dataset.live);
  for (const word of ["ready", "changed", "ended"]) source.addEventListener(word, () => tell(word));
  source.addEventListener("ended", () => source.close());
  source.addEventListener("error", () => {
    // A refusal is not tried again by itself: the session may have ended, or too many pages listen.
    if (source.readyState !== EventSource.CLOSED) return;
    tell("ready");
    setTimeout(() => listen(tell), AGAIN);
  });
}

function start() {
  const others = new BroadcastChannel("live");
  others.addEventListener("message", (event) => hear(event.data));
  const tell = (word) => {
    others.postMessage(word);
    hear(word);
  };
  // Without https there are no locks, and each tab listens for itself.
  const forever = () => new Promise(() => listen(tell));
  if (!navigator.locks) listen(hear);
  else navigator.locks.request("live", { ifAvailable: true }, (lock) => {
    if (lock) return forever();
    navigator.locks.request("live", forever);
    return compare();
  });
  for (const kind of ["pointerdown", "keydown", "wheel", "visibilitychange"]) {
    addEventListener(kind, () => {
      if (document.hidden) return;
      used = Date.now();
      if (stale) soon();
    }, { passive: true, capture: true });
  }
}

if (app && list) start();
