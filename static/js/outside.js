// Pictures from outside were asked for: what says that they are off goes, and the frame has the focus.
for (const notice of document.querySelectorAll("[data-outside]")) {
  notice.querySelector("form")?.addEventListener("submit", (event) => {
    document.querySelector(`iframe[name="${event.target.target}"]`)?.focus();
    notice.hidden = true;
  });
}
