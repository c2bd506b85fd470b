// Writing without a line: into the outbox of this device.
import { put, read, waiting } from "./outbox.js";
import { messages, person } from "./vault.js";

const form = document.querySelector("[data-write-offline]");

// What to begin with: what waits and is to be changed, an answer, or nothing.
async function begin(who) {
  const id = new URLSearchParams(location.search).get("waiting");
  const record = id && (await waiting(who)).find((one) => one.id === id && !one.tried);
  if (record) return { ...await read(record), record };
  const answered = location.pathname.match(/^\/compose\/reply\/([a-z2-7]{26})$/)?.[1];
  const message = answered && (await messages()).found.find((one) => one.id === answered);
  const begun = { record: null, action: "/compose/new", texts: [], value: () => "" };
  if (!message) return begun;
  const known = { to: message.address, from: message.identity, subject: /^re:/i.test(message.subject) ? message.subject : `Re: ${message.subject}` };
  return { ...begun, action: location.pathname, value: (name) => known[name] ?? "" };
}

async function start() {
  const { who, identity } = await person();
  form.hidden = !who;
  document.querySelector("[data-nobody]").hidden = Boolean(who);
  if (!who) return;
  const begun = await begin(who);
  for (const name of ["to", "subject", "message"]) form.elements[name].value = begun.value(name);
  form.elements.from.value = begun.value("from") || identity;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = new FormData(form);
    for (const [name, value] of begun.texts) if (!fields.has(name) && name !== "html") fields.append(name, value);
    await put(who, begun.action, fields, begun.record?.id);
    location.assign("/offline");
  });
}

if (form) start();
