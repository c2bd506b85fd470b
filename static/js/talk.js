// A conversation: a folded message is fetched when its line is opened for the first time, so that
// only what somebody looks at is opened at all.
import { fitFrames } from "./frames.js";
import { load } from "./load.js";

async function fill(item) {
  const url = item.dataset.fold;
  delete item.dataset.fold;
  const link = item.querySelector(".talk-open a");
  link.ariaDisabled = "true";
  const card = (await load(url))?.querySelector(".msg");
  if (!card) {
    location.assign(link.href); // signed out, or gone: that page says so
    return;
  }
  item.querySelector(".talk-open").replaceWith(card);
  item.classList.remove("is-unread");
  fitFrames(item);
}

for (const item of document.querySelectorAll("[data-fold]")) {
  item.addEventListener("toggle", () => {
    if (item.open && item.dataset.fold) fill(item);
  });
}

// Opened from a search: the message that was found, not the beginning.
document.querySelector(".talk-item:target")?.scrollIntoView({ block: "start" });
