// The pictures in the text: files of the mail, which the text names.
const KINDS = { "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp" };
const NAME = /^(picture-[0-9a-f]{16}|source-\d{1,4})\.(png|jpg|gif|webp)$/;

function newName(kind) {
  const digits = crypto.getRandomValues(new Uint8Array(8));
  return `picture-${[...digits].map((digit) => digit.toString(16).padStart(2, "0")).join("")}.${KINDS[kind]}`;
}

function read(file) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("loadend", () => resolve(typeof reader.result === "string" ? reader.result : ""));
    reader.readAsDataURL(file);
  });
}

export class Pictures {
  constructor(box) {
    this.fresh = box.querySelector("[data-pictures-new]");
    this.names = new Map(); // by what stands in the page: data addresses
    this.addresses = new Map();
    for (const image of box.querySelectorAll("[data-picture]")) this.know(image.dataset.picture, image.getAttribute("src"));
  }

  know(name, address) {
    this.names.set(address, name);
    this.addresses.set(name, address);
  }

  // A file that goes with the next save; what stands in the page for it, or nothing.
  async add(file) {
    if (!KINDS[file.type]) return "";
    const address = await read(file);
    if (!address || this.names.has(address)) return address;
    const name = newName(file.type);
    this.know(name, address);
    const all = new DataTransfer();
    for (const one of [...this.fresh.files, new File([file], name, { type: file.type })]) all.items.add(one);
    this.fresh.files = all.files;
    return address;
  }

  // A picture in pasted text that brings its own octets.
  adopt(image) {
    const found = /^data:(image\/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/=]+)$/.exec(image.getAttribute("src") ?? "");
    if (!found) {
      image.remove();
      return;
    }
    const octets = Uint8Array.from(atob(found[2]), (letter) => letter.charCodeAt(0));
    this.add(new File([octets], "", { type: found[1] }));
  }

  // What may stand as the source of a picture: one that we know, or octets of its own.
  source(written) {
    if (written.startsWith("cid:")) return this.addresses.get(written.slice(4)) ?? null;
    return this.names.has(written) || /^data:image\/(png|jpeg|gif|webp);base64,/.test(written) ? written : null;
  }

  // The text as it is sent: names in the place of what stands in the page.
  named(html) {
    return html.replace(/ src="(data:[^"]*)"/g, (_, address) => {
      const name = this.names.get(address);
      return name && NAME.test(name) ? ` src="cid:${name}"` : "";
    });
  }
}
