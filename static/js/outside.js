// Pictures from outside were asked for: what says that they are off goes, and the frame has the focus.
// Heard on the whole page, since a conversation gets its messages one by one.
document.addEventListener("submit", ({ target: form }) => {
  const notice = form.closest("[data-outside]");
  if (!notice) return;
  document.querySelector(`iframe[name="${form.target}"]`)?.focus();
  notice.hidden = true;
});
