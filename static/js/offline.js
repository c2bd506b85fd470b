// Reading without a line, as a page sees it: the worker is there when it is wanted, the reader
// knows when there is no line, and what was deleted meanwhile goes from this device.
import { destroy, entries, messages, sweep } from "./offline/vault.js";

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
  const ids = await entries();
  if (!ids.length) return;
  sessionStorage.setItem(CHECKED, String(Date.now()));
  const form = new URLSearchParams(ids.map((id) => ["ids", id]));
  form.set("csrf", document.querySelector("[name=csrf]").value);
  const answer = await fetch(app.dataset.gone, { method: "POST", body: form, redirect: "manual" }).catch(() => null);
  const said = answer?.ok ? await answer.json() : { gone: [] };
  if (said.gone.length) await sweep(new Set(said.gone));
}

function show() {
  if (!note) return;
  const { kept } = root.dataset;
  note.hidden = navigator.onLine && !kept;
  note.querySelector("[data-as-of]").hidden = !kept;
  if (kept) note.querySelector("time").textContent = moment(Number(kept));
}

// What would be sent now is lost, with what was typed: better not.
async function hold(event) {
  if (navigator.onLine && !root.dataset.kept) return;
  event.preventDefault();
  if (new URL(event.target.action).pathname.startsWith("/logout")) {
    localStorage.setItem(LEAVING, event.target.action);
    await destroy();
    location.replace("/offline");
    return;
  }
  note.hidden = false;
  note.scrollIntoView({ block: "nearest" });
}

async function count(text) {
  const { since, found } = await messages();
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
  // Where somebody writes, the policy lets the editor's sanitiser alone make anything.
  if (document.querySelector("[data-compose]")) { if (app.dataset.worker) check(); }
  else if (app.dataset.worker) register(app.dataset.worker).then(check);
  else unregister();
}
const leaving = localStorage.getItem(LEAVING);
if (app && leaving && navigator.onLine && !root.dataset.kept) {
  localStorage.removeItem(LEAVING);
  [...document.forms].find((form) => form.action === leaving || form.action.endsWith("/logout"))?.submit();
}
if (note) {
  addEventListener("online", show);
  addEventListener("offline", show);
  addEventListener("submit", hold);
  show();
}
