// The service worker: with a line it passes everything on and keeps what the server says may be
// kept; without one it answers from that. Requests that change something never pass through it,
// so what the server knows of where they come from stays true.
import { destroy, destroyAll, drop, keep, meet, recall, sweep } from "./vault.js";

const MARK = "LiveArchive-Offline";
const PARTS = /^\/mail\/[a-z]+(\/[a-z2-7]{26}\/card)?$/; // what a page loads for itself
const WRITE = /^\/(offline\/write|compose\/(new|reply\/[a-z2-7]{26}))$/;
const EVERY = 60_000; // ms between two looks for what is over
let turn = Promise.resolve();
let swept = 0;

// One after the other: an answer that ends all must not be overtaken by one that keeps.
function inTurn(work) {
  turn = turn.then(work).catch((error) => console.warn(`not kept: ${error.name}`));
  return turn;
}

function nameOf(url) {
  const search = new URLSearchParams(url.search);
  search.delete("found");
  search.sort();
  return url.pathname + (search.size ? `?${search}` : "");
}

async function note(url, answer, days) {
  const said = answer.headers.get(MARK);
  if (said === "none") return destroy();
  if (answer.status === 404) await drop(nameOf(url));
  if (!said) return null;
  const [permit, seconds] = said.split("; for=");
  await meet(permit, days * 86_400_000);
  return seconds && keep(nameOf(url), answer, Number(seconds));
}

async function tidy(shell) {
  if (Date.now() - swept < EVERY) return;
  swept = Date.now();
  const needed = await sweep();
  for (const name of await caches.keys()) {
    const digest = name.replace("shell-", "");
    if (digest !== shell.digest && !needed.has(digest)) await caches.delete(name);
  }
}

async function kept(name, request) {
  const page = await recall(name).catch(() => null);
  if (!page) return null;
  const text = request.destination === "document" ? page.text.replace("<html ", `<html data-kept="${page.at}" `) : page.text;
  return new Response(text, { headers: page.headers });
}

async function withoutLine(url, request) {
  const answer = await kept(nameOf(url), request) ?? await kept(url.pathname, request);
  if (answer) return answer;
  if (request.mode !== "navigate") return Response.error();
  if (WRITE.test(url.pathname)) return await caches.match("/offline/write") ?? Response.error();
  if (url.pathname === "/" && await recall("/mail/inbox").catch(() => null)) return Response.redirect("/mail/inbox", 303);
  return await caches.match("/offline") ?? Response.error();
}

async function page(event, url, shell) {
  const { request } = event;
  let answer;
  try {
    answer = await fetch(request);
  } catch {
    // A list that a page loads for itself is there already, and not older.
    return request.mode === "navigate" || url.pathname.endsWith("/card") ? withoutLine(url, request) : Response.error();
  }
  const copy = answer.headers.get(MARK)?.includes("for=") ? answer.clone() : new Response(null, { status: answer.status || 200, headers: answer.headers });
  event.waitUntil(inTurn(() => note(url, copy, shell.days)).then(() => inTurn(() => tidy(shell))));
  return answer;
}

async function file(request) {
  return await caches.match(request, { ignoreVary: true }) ?? fetch(request);
}

async function install(shell) {
  const cache = await caches.open(`shell-${shell.digest}`);
  await cache.addAll([...shell.files, "/offline", "/offline/write"]);
  await skipWaiting();
}

export function serve(shell) {
  addEventListener("install", (event) => event.waitUntil(install(shell)));
  addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  addEventListener("fetch", (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (url.origin !== location.origin) return;
    // Whether or not the server hears of it.
    if (request.method === "POST" && url.pathname.startsWith("/logout")) event.waitUntil(inTurn(destroyAll));
    if (request.method !== "GET") return;
    if (url.pathname.startsWith("/static/")) event.respondWith(file(request));
    else if (request.mode === "navigate" || PARTS.test(url.pathname)) event.respondWith(page(event, url, shell));
  });
}
