// Files of a mail: chosen, dragged or pasted; sent with a draft, with their progress; listed as the server has them.
function size(octets) {
  const [value, unit] = octets < 1e6 ? [Math.max(1, Math.round(octets / 1e3)), "kilobyte"] : [octets / 1e6, "megabyte"];
  const language = `${document.documentElement.lang}-u-nu-latn`; // European digits, as on the rest of the page
  return new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: 1 }).format(value);
}

export function attachments(form) {
  const chosen = form.querySelector("[data-files]");
  const fresh = form.querySelector("[data-pictures-new]");
  const list = form.querySelector("[data-kept]");
  const help = form.querySelector("[data-files-help]");
  const bar = form.querySelector("[data-progress]");
  const usual = help.textContent;
  let heaviest = 0;
  const files = { pictures: null };

  const octets = () => [...chosen.files].reduce((sum, file) => sum + file.size, 0);

  files.tell = (problem) => {
    const total = octets();
    chosen.setCustomValidity(problem);
    chosen.toggleAttribute("aria-invalid", Boolean(problem));
    help.textContent = total ? `${size(total)}. ${problem || usual}` : problem || usual;
  };
  files.heaviest = () => heaviest;
  files.waiting = () => chosen.files.length > 0 || fresh.files.length > 0;
  files.go = () => chosen.files.length > 0 || form.querySelector('li:not([hidden]) > input[name="file"]:checked, input[name="keep"]:checked, input[type="hidden"][name="keep"]') !== null;

  function add(more) {
    const all = new DataTransfer();
    for (const file of [...chosen.files, ...more]) all.items.add(file);
    chosen.files = all.files;
    chosen.dispatchEvent(new Event("input", { bubbles: true }));
    chosen.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // What goes with this save: what is too much stays chosen, and stays named.
  files.take = (body) => {
    const fit = chosen.validity.valid;
    if (!fit) {
      body.delete("attachments");
      for (const file of fresh.files) body.append("attachments", file);
    }
    const sent = [...fresh.files, ...(fit ? chosen.files : [])];
    heaviest = Math.max(heaviest, sent.reduce((sum, file) => sum + file.size, 0));
    return sent;
  };

  files.post = (address, body, outlives) => {
    if (outlives) return short(address, body);
    return new Promise((resolve) => {
      const request = new XMLHttpRequest(); // fetch tells nothing of what was sent
      request.open("POST", address);
      request.setRequestHeader("Accept", "application/json");
      request.responseType = "json";
      request.upload.addEventListener("progress", (event) => {
        bar.hidden = !files.waiting() || !event.lengthComputable;
        bar.value = event.loaded / event.total;
      });
      request.addEventListener("loadend", () => {
        bar.hidden = true;
        resolve({ status: request.status, said: request.response });
      });
      request.send(body);
    });
  };

  // Without files a request may outlive its page, so that leaving it does not end the save.
  async function short(address, body) {
    const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual", keepalive: true }).catch(() => null);
    return { status: answer?.status ?? 0, said: await answer?.json().catch(() => null) };
  }

  // The server has these now: they need not be sent again.
  files.kept = (sent, all, rich) => {
    if (sent.length > 0) {
      for (const input of [chosen, fresh]) {
        const rest = new DataTransfer();
        for (const file of input.files) if (!sent.includes(file)) rest.items.add(file);
        input.files = rest.files;
      }
      files.tell("");
    }
    const shape = list.querySelector("template");
    for (const item of [...list.querySelectorAll(":scope > li")]) item.remove();
    for (const file of all) {
      const item = shape.content.cloneNode(true);
      item.querySelector("li").hidden = file.inline && rich;
      const box = item.querySelector("input");
      box.id = `file-${file.index}`;
      box.value = file.index;
      const label = item.querySelector("label");
      label.htmlFor = box.id;
      label.textContent = file.name;
      item.querySelector("small").textContent = file.text;
      shape.before(item);
    }
  };

  chosen.addEventListener("change", () => {
    files.tell(octets() > Number(chosen.dataset.limit) ? chosen.dataset.tooMuch : "");
  });
  form.addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (pasted.length === 0 || event.target.closest("[data-editor]")) return;
    event.preventDefault();
    add(pasted);
  });
  for (const kind of ["dragenter", "dragover"]) {
    form.addEventListener(kind, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      form.setAttribute("data-dragged", "");
    });
  }
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) form.removeAttribute("data-dragged");
  });
  form.addEventListener("drop", (event) => {
    form.removeAttribute("data-dragged");
    const dropped = [...(event.dataTransfer?.files ?? [])];
    if (dropped.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const inText = files.pictures?.isRich() && event.target.closest("[data-editor]");
    const pictures = inText ? dropped.filter((file) => /^image\/(png|jpeg|gif|webp)$/.test(file.type)) : [];
    if (pictures.length > 0) files.pictures.insert(pictures);
    const rest = dropped.filter((file) => !pictures.includes(file));
    if (rest.length > 0) add(rest);
  }, { capture: true });
  return files;
}
