// A button with data-passkey asks the browser for a passkey, and sends its answer with the form.
const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON;

async function answer(button) {
  const form = new URLSearchParams();
  const token = button.form.elements.namedItem("csrf");
  if (token) form.set("csrf", token.value);
  const response = await fetch(button.dataset.start, { method: "POST", body: form, redirect: "error" });
  if (!response.ok) throw new Error("no challenge");
  const options = await response.json();
  if (button.dataset.passkey === "create") {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return navigator.credentials.create({ publicKey });
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return navigator.credentials.get({ publicKey });
}

async function press(event) {
  const button = event.currentTarget;
  const field = button.form.elements.namedItem("answer");
  if (field.value) return; // the answer is there: the form goes
  event.preventDefault();
  const trouble = button.form.querySelector("[data-passkey-trouble]");
  trouble.hidden = true;
  button.disabled = true;
  try {
    field.value = JSON.stringify((await answer(button)).toJSON());
  } catch {
    trouble.hidden = false; // cancelled, timed out, or there is none: the browser said which
    return;
  } finally {
    button.disabled = false;
  }
  button.form.requestSubmit(button);
  field.value = "";
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  button.hidden = !able;
  button.addEventListener("click", press);
}
