// Menus close when one looks elsewhere; what was done can be waved away.
addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.drop[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const open of document.querySelectorAll("details.drop[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
  document.querySelector("[data-toast]")?.remove();
});

// On a phone the side bar scrolls sideways: begin where the reader is.
document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// The mail is still here for a little longer than its Undo is.
const fading = document.querySelector("[data-toast][data-seconds]");
if (fading) setTimeout(() => fading.remove(), Number(fading.dataset.seconds) * 1000);
