// The list: ticking a range or all, and keeping the open row in sight. What is in it is exchanged
// when mail comes, so that only the list itself is listened to.
const list = document.querySelector("[data-list]");

function ticks() {
  return [...list.querySelectorAll(".row-check")];
}

function count() {
  const all = ticks();
  const on = all.filter((tick) => tick.checked).length;
  const every = list.querySelector("[data-all]");
  list.querySelector("[data-count]").textContent = String(on);
  every.hidden = false;
  every.checked = on > 0 && on === all.length;
  every.indeterminate = on > 0 && on < all.length;
}

function tickRanges() {
  let last = null;
  list.addEventListener("click", (event) => {
    const tick = event.target.closest(".row-check");
    if (!tick) return;
    if (event.shiftKey && last) {
      const all = ticks();
      const [from, to] = [all.indexOf(last), all.indexOf(tick)].sort((a, b) => a - b);
      for (const between of all.slice(from, to + 1)) between.checked = tick.checked;
    }
    last = tick;
    count();
  });
  list.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) {
      for (const tick of ticks()) tick.checked = event.target.checked;
    }
    count();
  });
  count();
}

if (list) {
  tickRanges();
  list.querySelector(".is-selected")?.scrollIntoView({ block: "nearest" });
}
