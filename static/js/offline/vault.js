// What this device keeps of somebody's mail, to be read without a line. Each page is sealed
// (AES-256-GCM) under a key that was drawn here and that no script can take out (extractable:
// false); the server never has it. The key goes with the permit that the server gives to one
// session (app/web/keeping.py), and when it was not in touch for as long as mail is kept; without
// it the rest is noise. In clear: addresses of pages, which are random ids, sizes and times.
const STORES = ["state", "pages", "outbox"];
const READING = "reading"; // the record of the permit and its key
const WRITING = "writing"; // that of the key of the outbox, which outlives a session
const PERSON = "person"; // whose this browser is while the session lives, as far as it knows
const DAY = 86_400_000; // ms
const ROW = /<li class="row[^"]*" data-id="([a-z2-7]{26})" data-left="(\d+)">[^]*?<\/li>/g;
const MENTIONED = /name="body-([a-z2-7]{26})"|\/([a-z2-7]{26})\/card/g;
const META = /<meta name="kept-(\w+)" content="([^"]*)">/g;
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&#34;": '"', "&#39;": "'", "&amp;": "&" };
const LEFT_OUT = /^(content-length|content-encoding|date|livearchive-offline)$/;
const encoder = new TextEncoder();
let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("livearchive", 2);
    request.onupgradeneeded = ({ oldVersion }) => {
      if (oldVersion < 1) {
        request.result.createObjectStore("state");
        request.result.createObjectStore("pages", { keyPath: "url" });
      }
      request.result.createObjectStore("outbox", { keyPath: "id" });
    };
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const forget = () => { opened = null; };
      request.result.onversionchange = () => { request.result.close(); forget(); };
      request.result.onclose = forget; // the browser cleared what we keep: after a log-out
      resolve(request.result);
    };
  });
  opened.catch(() => { opened = null; });
  return opened;
}

// One transaction; the result of the request that `work` returns, once all is durable.
export async function transact(mode, work) {
  const tx = (await database()).transaction(STORES, mode, { durability: "strict" });
  return new Promise((resolve, reject) => {
    const request = work(...STORES.map((name) => tx.objectStore(name)));
    tx.oncomplete = () => resolve(request?.result);
    tx.onabort = () => reject(tx.error);
  });
}

export function destroy() {
  return transact("readwrite", (state, pages) => {
    state.delete(READING);
    state.delete(PERSON);
    pages.clear();
  });
}

// At a log-out: what waits in the outbox goes, too.
export function destroyAll() {
  return transact("readwrite", (...stores) => {
    for (const store of stores) store.clear();
  });
}

// Who writes here: `who` tells persons apart and says nothing of them.
export function setPerson(who, identity) {
  return transact("readwrite", (state) => state.put({ who, identity }, PERSON));
}

export async function person() {
  return await transact("readonly", (state) => state.get(PERSON)) ?? { who: "", identity: "" };
}

// The permit and its key. Null: there is none, or it is over.
export async function unlock() {
  const held = await transact("readonly", (state) => state.get(READING));
  if (!held) return null;
  const age = Date.now() - held.seen;
  if (age < held.keep && age > -DAY) return held; // a clock that was set back lengthens nothing
  await destroy();
  return null;
}

// The server's word of a session: another permit than the last one gets another key.
export async function meet(permit, keep) {
  const held = await unlock();
  const now = Date.now();
  if (held?.permit === permit) {
    if (now - held.seen > 60_000) await transact("readwrite", (state) => state.put({ ...held, seen: now }, READING));
    return;
  }
  const drawn = { key: await newKey(), id: crypto.randomUUID() };
  await transact("readwrite", (state, pages) => {
    pages.clear();
    state.put({ ...drawn, permit, keep, since: now, seen: now }, READING);
  });
}

function newKey() {
  return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

// The key of the outbox, drawn when something is first put there.
export async function writingKey() {
  const there = () => transact("readonly", (state) => state.get(WRITING));
  const held = await there();
  if (held) return held;
  const drawn = { key: await newKey(), id: crypto.randomUUID() };
  await transact("readwrite", (state) => {
    const other = state.get(WRITING); // of another page that was faster
    other.onsuccess = () => { if (!other.result) state.put(drawn, WRITING); };
  });
  return there();
}

// A box opens only under its key, in its place.
function place(held, name, what) {
  return encoder.encode(JSON.stringify([held.id, name, what]));
}

export async function sealOctets(held, name, what, octets) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const algorithm = { name: "AES-GCM", iv, additionalData: place(held, name, what) };
  return { iv, octets: await crypto.subtle.encrypt(algorithm, held.key, octets) };
}

export function unsealOctets(held, name, what, box) {
  const algorithm = { name: "AES-GCM", iv: box.iv, additionalData: place(held, name, what) };
  return crypto.subtle.decrypt(algorithm, held.key, box.octets);
}

export function seal(held, name, what, value) {
  return sealOctets(held, name, what, encoder.encode(JSON.stringify(value)));
}

export async function unseal(held, name, what, box) {
  return JSON.parse(new TextDecoder().decode(await unsealOctets(held, name, what, box)));
}

// A page without the rows of what is over or gone.
function trimmed(text, at, gone) {
  const passed = (Date.now() - at) / 1000;
  return text.replace(ROW, (row, id, left) => (left <= passed || gone.has(id) ? "" : row));
}

function put(held, record) {
  // Whoever signed out meanwhile has destroyed the key: nothing sealed under it comes after.
  return transact("readwrite", (state, pages) => {
    const check = state.get(READING);
    check.onsuccess = () => { if (check.result?.id === held.id) pages.put(record); };
  });
}

async function sealed(held, record, page) {
  const lives = [...page.text.matchAll(ROW)].map((row) => record.at + row[2] * 1000);
  return { ...record, next: Math.min(Infinity, ...lives), page: await seal(held, record.url, "page", page) };
}

// Keep an answer for some seconds.
export async function keep(url, answer, seconds) {
  const held = await unlock();
  if (!held) return;
  const text = await answer.text();
  const about = {};
  for (const [, name, said] of text.matchAll(META)) about[name] = said.replace(/&(?:lt|gt|#34|#39|amp);/g, (one) => ENTITIES[one]);
  const at = Date.now();
  const own = url.match(/\/([a-z2-7]{26})(?=[/?]|$)/)?.[1];
  const mentioned = [...text.matchAll(MENTIONED)].map((found) => found[1] ?? found[2]);
  const record = {
    url, at, ends: at + seconds * 1000,
    entries: own ? [...new Set([own, ...mentioned])] : [],
    shell: text.match(/\/static\/([a-z2-7]+)\//)?.[1] ?? "",
    about: about.subject === undefined ? null : await seal(held, url, "about", about),
  };
  const headers = [...answer.headers].filter(([name]) => !LEFT_OUT.test(name));
  await put(held, await sealed(held, record, { headers, text }));
}

// A kept answer; `at` is when it was had. Null: there is none.
export async function recall(url) {
  const held = await unlock();
  const record = held && await transact("readonly", (_, pages) => pages.get(url));
  if (!record || record.ends <= Date.now()) return null;
  const page = await unseal(held, url, "page", record.page);
  return { ...page, text: trimmed(page.text, record.at, new Set()), at: record.at };
}

export function drop(url) {
  return transact("readwrite", (_, pages) => pages.delete(url));
}

function records() {
  return transact("readonly", (_, pages) => pages.getAll());
}

// Remove what is over, and what is gone; the releases whose files are still needed.
export async function sweep(gone = new Set()) {
  const held = await unlock();
  if (!held) return new Set();
  const shells = new Set();
  for (const record of await records()) {
    if (record.ends <= Date.now() || record.entries.some((id) => gone.has(id))) {
      await drop(record.url);
      continue;
    }
    shells.add(record.shell);
    if (record.next > Date.now() && !gone.size) continue;
    const page = await unseal(held, record.url, "page", record.page);
    await put(held, await sealed(held, record, { ...page, text: trimmed(page.text, record.at, gone) }));
  }
  return shells;
}

// The messages that can be read here, newest first; each once, wherever it was opened.
export async function messages() {
  const held = await unlock();
  if (!held) return { since: null, found: [] };
  const found = new Map();
  for (const record of await records()) {
    if (!record.about || record.ends <= Date.now()) continue;
    found.set(record.entries[0], { id: record.entries[0], url: record.url, ...await unseal(held, record.url, "about", record.about) });
  }
  return { since: held.since, found: [...found.values()].sort((a, b) => b.received - a.received) };
}

export async function entries() {
  return [...new Set((await records()).flatMap((record) => record.entries))];
}
