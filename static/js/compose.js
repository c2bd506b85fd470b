// Writing: drafts that keep themselves, one send for one click, sizes before they are sent.
import { followIdentity } from "./signature.js";

const ALIVE = 2 * 60_000;
const PAUSE = 2_000; // after the last key until the draft is saved
const RETRY = 10_000;
const OCTETS_A_MS = 300; // a draft is written whole: with large files, less often
const OUTLIVES = 15_000; // characters; a request that outlives its page has at most 64 KB
const form = document.querySelector("[data-compose]");

function size(octets) {
  return octets < 1e6 ? `${Math.max(1, Math.round(octets / 1e3))} KB` : `${(octets / 1e6).toFixed(1)} MB`;
}

const chosen = form?.querySelector("[data-files]");
const kept = form?.querySelector("[data-kept]");
const help = form?.querySelector("[data-files-help]");
const usual = help?.textContent;

function chosenOctets() {
  return [...chosen.files].reduce((sum, file) => sum + file.size, 0);
}

function tellFiles(problem) {
  const total = chosenOctets();
  chosen.setCustomValidity(problem);
  chosen.toggleAttribute("aria-invalid", Boolean(problem));
  help.textContent = total ? `${size(total)}. ${problem || usual}` : problem || usual;
}

function watchFiles() {
  chosen.addEventListener("change", () => {
    tellFiles(chosenOctets() > Number(chosen.dataset.limit) ? chosen.dataset.tooMuch : "");
  });
}

// The files that the draft holds now, as the server counts them.
function listFiles(files) {
  const shape = kept.querySelector("template");
  for (const item of [...kept.querySelectorAll(":scope > li")]) item.remove();
  for (const file of files) {
    const item = shape.content.cloneNode(true);
    const box = item.querySelector("input");
    box.id = `file-${file.index}`;
    box.value = file.index;
    const label = item.querySelector("label");
    label.htmlFor = box.id;
    label.textContent = file.name;
    item.querySelector("small").textContent = file.text;
    shape.before(item);
  }
}

function filesGo() {
  return chosen.files.length > 0 || form.querySelector('input[name="file"]:checked, input[name="keep"]:checked') !== null;
}

// Whether the writer's own words, not the quoted ones, speak of an attachment that is not there.
function forgotten() {
  if (filesGo()) return false;
  const own = form.elements.message.value.split("\n").filter((line) => !line.startsWith(">")).join(" ");
  const words = form.dataset.words.split(" ").filter(Boolean).map((word) => word.replace("_", " "));
  const said = ` ${own.toLowerCase().replace(/[^\p{L}\p{N}-]+/gu, " ")} `;
  return words.some((word) => said.includes(` ${word} `));
}

// Keeps the draft: a few seconds after the last key, one save at a time, each over the one before.
function keepDraft() {
  const state = form.querySelector("[data-draft-state]");
  let changed = false;
  let timer = 0;
  let saving = null;
  let halted = false;

  let octets = 0;

  async function post() {
    changed = false;
    state.textContent = form.dataset.saving;
    const body = new FormData(form);
    const fit = chosen.validity.valid;
    const files = fit ? [...chosen.files] : []; // what is too much stays chosen, and stays named
    if (!fit) body.delete("attachments");
    if (fit) octets = Math.max(octets, chosenOctets());
    const answer = await fetch(form.dataset.drafts, {
      method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual",
      keepalive: files.length === 0 && form.elements.message.value.length < OUTLIVES, // so that leaving the page does not end it
    }).catch(() => null);
    const saved = answer?.ok ? await answer.json().catch(() => null) : null;
    if (answer?.status === 422) {
      const problem = await answer.json().catch(() => null);
      tellFiles(problem?.message ?? "");
      state.textContent = form.dataset.unsaved;
      return;
    }
    if (!saved) {
      changed = true;
      state.textContent = form.dataset.unsaved;
      // Of another session, or of none: the words stay here, and no repetition helps.
      if (answer?.status === 401 || answer?.status === 403) form.querySelector("[data-signed-out]").hidden = false;
      else soon(RETRY);
      return;
    }
    form.elements.draft.value = saved.id;
    history.replaceState(null, "", saved.path);
    if (files.length > 0 && files.every((file, at) => chosen.files[at] === file)) chosen.value = "";
    if (files.length > 0) tellFiles("");
    listFiles(saved.files);
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
    if (event.target.name === "at") return; // of the sending, not of the draft
    changed = true;
    state.textContent = "";
    soon(event.target.type === "file" ? 0 : Math.max(PAUSE, octets / OCTETS_A_MS));
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
        draft.goOn();
        return;
      }
      form.setAttribute("data-checked", "");
      form.requestSubmit(button);
      return;
    }
    form.removeAttribute("data-checked");
    leaving = true;
    // After the browser has taken the form: a disabled button would not be sent.
    setTimeout(() => { button.disabled = true; button.setAttribute("aria-busy", "true"); });
  });
  addEventListener("beforeunload", (event) => {
    const files = chosen.files.length > 0;
    if ((draft.isUnsaved() || files) && !leaving) event.preventDefault();
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
  watchFiles();
  followIdentity(form);
  watchWords(keepDraft());
  stayAlive();
  sendByKey();
  const text = form.querySelector("textarea");
  if (document.activeElement === text) text.setSelectionRange(0, 0); // above the quoted mail
}
