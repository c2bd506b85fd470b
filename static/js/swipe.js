// A row is swiped with a finger: one way it goes to the trash (or where the reader chose), the other
// way it is marked read or unread. It presses the row's own buttons, which do the same without it.
const list = document.querySelector("[data-list]");
const EDGE = 24; // pixels at the sides of the window: there the system's own "back" begins
const SLACK = 12; // pixels until it is known whether a finger swipes or scrolls
const FAR = 0.3; // of the row's width: let go beyond this, and it is done

let swipe = null;

function buttonOf(row, before) {
  const first = list.dataset.swipe === "archive" ? "archive" : "delete";
  const verbs = before ? [first, "delete", "restore"] : ["read", "unread"];
  for (const verb of verbs) {
    const button = row.querySelector(`.row-actions button[value^="${verb}:"]`);
    if (button) return button;
  }
  return null;
}

// What lies under the row on the side that opens: the icon of its button, and its word.
function under(button, moved) {
  const said = document.createElement("span");
  said.className = "swipe-under";
  said.dataset.verb = button.value.split(":")[0];
  said.dataset.side = moved < 0 ? "right" : "left";
  said.setAttribute("aria-hidden", "true");
  const word = document.createElement("span");
  word.textContent = button.title;
  said.append(button.querySelector("svg").cloneNode(true), word);
  return said;
}

function open(moved) {
  const { row } = swipe;
  const before = (moved < 0) === (getComputedStyle(row).direction === "ltr");
  if (before !== swipe.before) {
    swipe.said?.remove();
    swipe.before = before;
    swipe.button = buttonOf(row, before);
    swipe.said = swipe.button && under(swipe.button, moved);
    if (swipe.said) row.append(swipe.said);
  }
  // Where nothing lies under it, it gives way a little and no more.
  const shown = swipe.button ? moved : Math.sign(moved) * Math.min(Math.abs(moved) / 4, SLACK);
  row.style.translate = `${shown}px`;
  swipe.said?.style.setProperty("inline-size", `${Math.abs(shown)}px`);
  swipe.said?.classList.toggle("is-far", isFar(shown));
}

function isFar(moved) {
  return Math.abs(moved) > swipe.row.offsetWidth * FAR;
}

// Settles after its transition; at once where none runs, as for those who want no motion.
function settle(row) {
  return Promise.allSettled(row.getAnimations({ subtree: true }).map((one) => one.finished));
}

async function end(done) {
  const { row, button, said, pointer, begun } = swipe;
  swipe = null;
  if (!begun) return;
  if (row.hasPointerCapture(pointer)) row.releasePointerCapture(pointer);
  row.classList.add("is-let-go");
  const way = said?.dataset.side === "right" ? -1 : 1;
  row.style.translate = done ? `${way * 100}%` : "0px";
  said?.style.setProperty("inline-size", done ? "100%" : "0px");
  await settle(row);
  if (done && button.isConnected) {
    button.form.requestSubmit(button);
    return;
  }
  said?.remove();
  row.style.translate = "";
  row.classList.remove("is-swiped", "is-let-go");
}

function begin(event) {
  const row = event.target.closest(".row");
  const isBeside = event.clientX < EDGE || event.clientX > innerWidth - EDGE;
  if (!row || row.matches(".is-swiped") || isBeside || list.querySelector("[data-pick]:checked, .row-check:checked")) return;
  swipe = { row, pointer: event.pointerId, x: event.clientX, y: event.clientY, begun: false, before: null, button: null, said: null };
}

function move(event) {
  const [across, down] = [event.clientX - swipe.x, event.clientY - swipe.y];
  if (!swipe.begun) {
    if (Math.abs(down) > SLACK) swipe = null;
    if (!swipe || Math.abs(across) < SLACK || Math.abs(across) < Math.abs(down)) return;
    swipe.begun = true;
    swipe.x += Math.sign(across) * SLACK;
    swipe.row.classList.add("is-swiped");
    swipe.row.setPointerCapture(swipe.pointer);
  }
  open(event.clientX - swipe.x);
}

function listen() {
  list.addEventListener("pointerdown", (event) => {
    if (swipe) end(false); // a second finger: never mind
    else if (event.pointerType === "touch" && event.isPrimary) begin(event);
  });
  list.addEventListener("pointermove", (event) => { if (event.pointerId === swipe?.pointer) move(event); });
  list.addEventListener("pointerup", (event) => {
    if (event.pointerId !== swipe?.pointer) return;
    const moved = event.clientX - swipe.x;
    // What follows is no tap on the row.
    if (swipe.begun) addEventListener("click", (click) => { click.preventDefault(); click.stopPropagation(); }, { capture: true, once: true, signal: AbortSignal.timeout(400) });
    end(swipe.begun && swipe.button !== null && isFar(moved));
  });
  list.addEventListener("pointercancel", (event) => { if (event.pointerId === swipe?.pointer) end(false); });
  addEventListener("keydown", (event) => { if (swipe && event.key === "Escape") end(false); });
  // Back by the browser's own cache: the row is where it was.
  addEventListener("pageshow", () => {
    for (const said of list.querySelectorAll(".swipe-under")) said.remove();
    for (const row of list.querySelectorAll(".is-swiped")) {
      row.classList.remove("is-swiped", "is-let-go");
      row.style.translate = "";
    }
  });
}

if (list && list.dataset.swipe !== "off") listen();
