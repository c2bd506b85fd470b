// Reading without a line, as a page sees it: the worker is there when it is wanted, the reader
// knows when there is no line, and what was deleted meanwhile goes from this device.
import { load } from "./load.js";
import { sendAll, waiting } from "./offline/outbox.js";
import { destroyAll, entries, messages, setPerson, sweep } from "./offline/vault.js";

const EVERY = 60_000; // ms between two questions whether what is kept is still there
const CHECKED = "offline-checked";
const LEAVING = "sign-out"; // somebody signed out without a line: the server is told once there is one
const app = document.querySelector("[data-app]");
const note = document.querySelector("[data-offline-note]");
const root = document.documentElement;
const can = "serviceWorker" in navigator;

function moment(at) {
  return new Intl.DateTimeFormat(root.lang, { dateStyle: "medium", timeStyle: "short" }).format(at);
}

function register(path) {
  // The pages' policy has a script's address come from a policy of this name; it makes only this one.
  const address = globalThis.trustedTypes
    ? trustedTypes.createPolicy("livearchive-worker", { createScriptURL: () => path }).createScriptURL("") : path;
  return navigator.serviceWorker.register(address, { type: "module", updateViaCache: "none" });
}

async function unregister() {
  for (const one of await navigator.serviceWorker.getRegistrations()) await one.unregister();
}

async function check() {
  const last = Number(sessionStorage.getItem(CHECKED));
  if (Date.now() - last < EVERY && !document.querySelector("[data-toast]")) return;
  const ids = await entries().catch(() => []); // a log-out may have cleared it all meanwhile
  if (!ids.length) return;
  sessionStorage.setItem(CHECKED, String(Date.now()));
  const form = new URLSearchParams(ids.map((id) => ["ids", id]));
  form.set("csrf", document.querySelector("[name=csrf]").value);
  const answer = await fetch(app.dataset.gone, { method: "POST", body: form, redirect: "manual" }).catch(() => null);
  const said = answer?.ok ? await answer.json() : { gone: [] };
  if (said.gone.length) await sweep(new Set(said.gone)).catch(() => null);
}

function show() {
  if (!note) return;
  const { kept } = root.dataset;
  note.hidden = navigator.onLine && !kept;
  note.querySelector("[data-as-of]").hidden = !kept;
  if (kept) note.querySelector("time").textContent = moment(Number(kept));
}

// Where a browser keeps nothing (a private window), or a log-out cleared it all meanwhile, the
// store fails: nothing waits then, and signing out goes on.

// What would be sent now is lost, with what was typed: better not.
async function hold(event) {
  if (event.defaultPrevented) return;
  event.preventDefault();
  if (new URL(event.target.action).pathname.startsWith("/logout")) {
    localStorage.setItem(LEAVING, event.target.action);
    await destroyAll().catch(() => null);
    location.replace("/offline");
    return;
  }
  note.hidden = false;
  note.scrollIntoView({ block: "nearest" });
}

// What waits of this person's goes, once there is a line; under the session that there is now.
async function flush() {
  const { person: who } = app.dataset;
  const there = (await waiting(who).catch(() => [])).length;
  const box = document.querySelector("[data-outbox-note]");
  box.hidden = !there;
  box.querySelector("[data-number]").textContent = new Intl.NumberFormat(root.lang).format(there);
  if (!there || !navigator.onLine || root.dataset.kept || document.querySelector("[data-compose]")) return;
  const fresh = await load(app.dataset.own);
  if (fresh?.querySelector("[data-app]")?.dataset.person !== who) return;
  if (await sendAll(who, fresh.querySelector("[name=csrf]").value)) location.reload();
}

// Signing out and switching off take along what waits: only when somebody wants that.
async function mayLose(event) {
  const { action } = event.target;
  if (!/\/logout|\/settings\/offline/.test(action) || event.target.dataset.sure || !app?.dataset.person) return;
  event.preventDefault();
  const there = (await waiting(app.dataset.person).catch(() => [])).length;
  if (there && !confirm(note.dataset.loses)) return;
  event.target.dataset.sure = "yes";
  if (action.includes("/settings/offline")) await destroyAll().catch(() => null);
  event.target.requestSubmit(event.submitter);
}

async function count(text) {
  const { since, found } = await messages().catch(() => ({ since: null, found: [] }));
  text.hidden = !since;
  if (since) text.textContent = text.dataset.holds.replace("%n", new Intl.NumberFormat(root.lang).format(found.length)).replace("%t", moment(since));
}

const setting = document.querySelector("[data-offline-setting]");
if (setting) {
  setting.querySelector("form").hidden = !can;
  setting.querySelector("[data-cannot]").hidden = can;
  const holds = setting.querySelector("[data-holds]");
  if (can && holds) count(holds);
}
if (app && can && !root.dataset.kept) {
  if (app.dataset.worker) {
    setPerson(app.dataset.person, app.dataset.identity).catch(() => null);
    // Where somebody writes, the policy lets the editor's sanitiser alone make anything.
    if (document.querySelector("[data-compose]")) check();
    else register(app.dataset.worker).then(check);
    addEventListener("online", flush);
  } else unregister();
}
const leaving = localStorage.getItem(LEAVING);
if (app && leaving && navigator.onLine && !root.dataset.kept) {
  localStorage.removeItem(LEAVING);
  [...document.forms].find((form) => form.action === leaving || form.action.endsWith("/logout"))?.submit();
}
if (app?.dataset.person && can) flush();
if (note) {
  addEventListener("online", show);
  addEventListener("offline", show);
  addEventListener("submit", (event) => (navigator.onLine && !root.dataset.kept ? mayLose(event) : hold(event)));
  show();
}
