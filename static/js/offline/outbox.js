// Mail that was written without a line: sealed on this device until there is one, and then sent
// once. Its id goes with it, and of one id the server sends one mail (app/sending/submissions.py),
// so an answer that was lost does no harm. It outlives a session, but not a log-out; only the person
// who wrote it sees and sends it.
import { seal, sealOctets, transact, unseal, unsealOctets, writingKey } from "./vault.js";

const KEEP = 7 * 86_400_000; // ms: what was not sent by then is not news any more
const FILES = "attachments";

// `fields` is a form of the compose page; `action` where it is sent to.
export async function put(who, action, fields, id = crypto.randomUUID()) {
  const held = await writingKey();
  const texts = [...fields].filter(([name, value]) => typeof value === "string" && name !== "csrf" && name !== "submission");
  const chosen = fields.getAll(FILES).filter((file) => file.name);
  const files = [];
  for (const [n, file] of chosen.entries()) {
    files.push({ about: await seal(held, id, `name ${n}`, [file.name, file.type]), box: await sealOctets(held, id, `file ${n}`, await file.arrayBuffer()) });
  }
  const letter = await seal(held, id, "letter", { action, texts });
  const record = { id, who, at: Date.now(), tried: false, problem: "", letter, files };
  await transact("readwrite", (state, pages, outbox) => outbox.put(record));
}

// What waits of this person's, oldest first; `who` is empty where nobody is known: then of all.
export async function waiting(who) {
  const all = await transact("readonly", (state, pages, outbox) => outbox.getAll());
  for (const one of all) if (Date.now() - one.at > KEEP) await remove(one.id);
  return all.filter((one) => one.who === who && Date.now() - one.at <= KEEP).sort((a, b) => a.at - b.at);
}

export function remove(id) {
  return transact("readwrite", (state, pages, outbox) => outbox.delete(id));
}

function mark(record, changed) {
  return transact("readwrite", (state, pages, outbox) => {
    const there = outbox.get(record.id);
    there.onsuccess = () => { if (there.result) outbox.put({ ...there.result, ...changed }); };
  });
}

export async function read(record) {
  const { action, texts } = await unseal(await writingKey(), record.id, "letter", record.letter);
  return { action, texts, value: (name) => texts.find(([one]) => one === name)?.[1] ?? "" };
}

async function formOf(record, csrf) {
  const held = await writingKey();
  const { action, texts } = await read(record);
  const form = new FormData();
  for (const [name, value] of texts) form.append(name, value);
  for (const [n, { about, box }] of record.files.entries()) {
    const [name, type] = await unseal(held, record.id, `name ${n}`, about);
    form.append(FILES, new File([await unsealOctets(held, record.id, `file ${n}`, box)], name, { type }));
  }
  form.set("csrf", csrf);
  form.set("submission", record.id);
  form.set("unattached", "1");
  return { action, form };
}

// Send what waits of this person's; how many went. One page at a time, of all that are open.
export async function sendAll(who, csrf) {
  return navigator.locks.request("outbox", async () => {
    let sent = 0;
    for (const record of await waiting(who)) {
      const { action, form } = await formOf(record, csrf);
      await mark(record, { tried: true }); // from now on it may have gone, and is not changed any more
      const answer = await fetch(action, { method: "POST", body: form, redirect: "manual" }).catch(() => null);
      if (answer?.type === "opaqueredirect") {
        await remove(record.id);
        sent += 1;
      } else if (!answer || answer.status >= 500 || [401, 403, 429].includes(answer.status)) break; // later
      else await mark(record, { problem: "refused", tried: false }); // looked at, and not sent
    }
    return sent;
  });
}
