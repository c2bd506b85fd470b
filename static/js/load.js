// A page of ours, as a document and not as text: it is parsed without scripts, and the pages' policy
// allows no other way. Null when it cannot be had.
export function load(url) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.responseType = "document";
    request.addEventListener("loadend", () => resolve(request.status === 200 ? request.response : null));
    request.send();
  });
}
