// Writing: drafts that keep themselves, one send for one click, sizes before they are sent.
import { attachments } from "./attach.js";
import { put } from "./offline/outbox.js";
import { suggestPeople } from "./people.js";
import { followIdentity } from "./signature.js";

const ALIVE = 2 * 60_000;
const PAUSE = 2_000; // after the last key until the draft is saved
const RETRY = 10_000;
const OCTETS_A_MS = 300; // a draft is written whole: with large files, less often
const OUTLIVES = 15_000; // characters; a request that outlives its page has at most 64 KB
const form = document.querySelector("[data-compose]");
const files = form && attachments(form);
let editor = null; // of rich text, once it is loaded

// Whether the writer's own words, not the quoted ones, speak of an attachment that is not there.
function forgotten() {
  if (files.go() || form.elements.kind.value === "enclose") return false;
  const plain = () => form.elements.message.value.split(form.dataset.end)[0].split("\n").filter((line) => !line.startsWith(">")).join(" ");
  const own = editor?.isRich() ? editor.own().split(form.dataset.end)[0] : plain();
  const said = ` ${own.toLowerCase().replace(/[^\p{L}\p{N}-]+/gu, " ")} `;
  const inside = (words) => words.split("|").filter(Boolean);
  return inside(form.dataset.words).some((word) => said.includes(` ${word} `)) || inside(form.dataset.parts).some((part) => said.includes(part));
}

// Keeps the draft: a few seconds after the last key, one save at a time, each over the one before.
function keepDraft() {
  const state = form.querySelector("[data-draft-state]");
  let changed = false;
  let timer = 0;
  let saving = null;
  let halted = false;

  async function post() {
    changed = false;
    state.textContent = form.dataset.saving;
    editor?.sync();
    const body = new FormData(form);
    const sent = files.take(body);
    const length = form.elements.message.value.length + form.elements.html.value.length;
    const answer = await files.post(form.dataset.drafts, body, sent.length === 0 && length < OUTLIVES);
    if (answer.status === 422) {
      files.tell(answer.said?.message ?? "");
      state.textContent = form.dataset.unsaved;
      return;
    }
    const saved = answer.status === 200 ? answer.said : null;
    if (!saved) {
      changed = true;
      state.textContent = form.dataset.unsaved;
      // Of another session, or of none: the words stay here, and no repetition helps.
      if (answer.status === 401 || answer.status === 403) form.querySelector("[data-signed-out]").hidden = false;
      else soon(RETRY);
      return;
    }
    form.elements.draft.value = saved.id;
    history.replaceState(null, "", saved.path);
    files.kept(sent, saved.files, editor?.isRich() ?? false);
    state.textContent = `${form.dataset.saved} ${saved.at}`;
    if (!saved.alone) form.querySelector("[data-twice]").hidden = false;
  }

  async function save() {
    clearTimeout(timer);
    timer = 0;
    if (saving) await saving;
    if (!changed || halted) return;
    saving = post().finally(() => { saving = null; });
    await saving;
  }

  function soon(wait) {
    clearTimeout(timer);
    timer = setTimeout(save, wait);
  }

  form.addEventListener("input", (event) => {
    if (event.target.name === "at" || event.target.matches("[data-picture-choice]")) return; // not of the draft
    changed = true;
    state.textContent = "";
    soon(event.target.type === "file" ? 0 : Math.max(PAUSE, files.heaviest() / OCTETS_A_MS));
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
  return {
    save: () => { changed = true; return save(); },
    halt: async () => { halted = true; if (saving) await saving; },
    goOn: () => { halted = false; if (changed) soon(PAUSE); },
    isUnsaved: () => changed || saving !== null,
  };
}

function watchWords(draft) {
  let leaving = false;
  form.addEventListener("submit", async (event) => {
    const button = event.submitter ?? form.querySelector("[data-send]");
    if (button.matches("[data-save]")) {
      event.preventDefault();
      draft.save();
      return;
    }
    const warning = form.querySelector("[data-forgotten-note]");
    if (button.matches("[data-send], [data-when]") && warning.hidden && forgotten()) {
      event.preventDefault();
      warning.hidden = false;
      warning.scrollIntoView({ block: "nearest" });
      return;
    }
    if (!form.hasAttribute("data-checked")) {
      // A form that is sent into nothing is gone with its words: ask first whether anybody is there.
      // And no save may be under way, or its draft would stay behind.
      event.preventDefault();
      button.setAttribute("aria-busy", "true");
      await draft.halt();
      const there = await askAlive();
      button.removeAttribute("aria-busy");
      if (!there) {
        if (button.matches("[data-send]") && await keepForLater()) {
          leaving = true;
          location.assign("/offline");
          return;
        }
        draft.goOn();
        return;
      }
      form.setAttribute("data-checked", "");
      form.requestSubmit(button);
      return;
    }
    form.removeAttribute("data-checked");
    form.elements.unattached.value = "1"; // it was asked here
    editor?.sync();
    leaving = true;
    // After the browser has taken the form: a disabled button would not be sent.
    setTimeout(() => { button.disabled = true; button.setAttribute("aria-busy", "true"); });
  });
  addEventListener("beforeunload", (event) => {
    if ((draft.isUnsaved() || files.waiting()) && !leaving) event.preventDefault();
  });
  addEventListener("pageshow", () => {
    for (const button of form.querySelectorAll(".send-bar button")) {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    }
    leaving = false;
    draft.goOn();
  });
}

// Into the outbox of this device, where its person has that: sent once there is a line.
async function keepForLater() {
  const who = document.querySelector("[data-person]")?.dataset.person;
  if (!who || navigator.onLine) return false;
  editor?.sync();
  await put(who, form.getAttribute("action"), new FormData(form));
  return true;
}

// Whether this page's session is alive; says so on the page when it is not.
async function askAlive() {
  const answer = await fetch(form.dataset.alive, { redirect: "manual" }).catch(() => null);
  const out = answer !== null && answer.type === "opaqueredirect";
  const silent = answer === null || answer.status >= 500;
  form.querySelector("[data-signed-out]").hidden = !out;
  form.querySelector("[data-offline]").hidden = !silent;
  if (out || silent) form.scrollIntoView({ block: "start" });
  return !out && !silent;
}

// Somebody who writes for an hour is not idle: say so, at most every two minutes. When the
// session is over all the same, say that before the words are sent into nothing.
function stayAlive() {
  let told = Date.now();
  form.addEventListener("input", async () => {
    if (Date.now() - told < ALIVE) return;
    told = Date.now();
    const answer = await fetch(form.dataset.alive, { redirect: "manual" }).catch(() => null);
    if (answer) form.querySelector("[data-signed-out]").hidden = answer.type !== "opaqueredirect";
  });
}

function sendByKey() {
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-send]"));
    } else if (event.key === "Enter" && event.target.matches("input[type=text]")) {
      event.preventDefault(); // Enter in a line must not send half a message
    }
  });
}

if (form) {
  suggestPeople(form); // before what else hears of keys
  watchWords(keepDraft());
  stayAlive();
  sendByKey();
  const text = form.querySelector("textarea");
  if (document.activeElement === text) text.setSelectionRange(0, 0); // above the quoted mail
  // Only here, since it is as large as all the rest; without it the plain text field goes on.
  import("./editor.js").then((module) => { editor = files.pictures = module.richText(form); }).catch(() => {});
  followIdentity(form, () => editor);
}
