// The frame of a message grows with what is in it, so that a page has one scroll bar.
// The frame runs no script; we may look at it because it keeps our origin.
const TALLEST = 60000; // pixels; a hostile message may claim to be endless

function fit(frame) {
  const page = frame.contentDocument?.documentElement;
  if (!page || !page.isConnected) return;
  frame.style.blockSize = "0";
  frame.style.blockSize = `${Math.min(page.scrollHeight, TALLEST)}px`;
}

function watch(frame) {
  const page = frame.contentDocument;
  if (!page?.body) return;
  let width = 0;
  fit(frame);
  // Folded quotes open, pictures load, the window turns: the width tells ours from theirs.
  page.addEventListener("toggle", () => fit(frame), true);
  page.addEventListener("load", () => fit(frame), true);
  new ResizeObserver(([entry]) => {
    if (entry.contentRect.width !== width) {
      width = entry.contentRect.width;
      fit(frame);
    }
  }).observe(frame);
}

export function fitFrames(part) {
  for (const frame of part.querySelectorAll("[data-frame]")) {
    frame.classList.add("is-fitted");
    frame.addEventListener("load", () => watch(frame));
    if (frame.contentDocument?.readyState === "complete" && frame.contentDocument.URL !== "about:blank") watch(frame);
  }
}

fitFrames(document);
