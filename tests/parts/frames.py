"""Documents in frames of one page, in a real browser: what runs, what is fetched, who moves."""

from playwright.sync_api import Page, Route

SITE = "http://mail.example"
SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"  # as the page has it
WATCH = """
    window.pwned = () => { top.acted.push(location.pathname) };
    if (top === window) window.acted = [];
"""
POKE = """() => {
    for (const frame of document.querySelectorAll('iframe'))
        for (const element of frame.contentDocument.querySelectorAll('body *')) {
            for (const kind of ['mouseover', 'focus', 'animationstart', 'toggle', 'load'])
                element.dispatchEvent(new Event(kind, {bubbles: true}));
            if (element.tagName !== 'A') element.click();
        }
}"""
WHERE = (
    "[...document.querySelectorAll('iframe')].map(frame => frame.contentWindow.location.pathname)"
)


class Site:
    """Shows documents in frames of one page; remembers every other request."""

    def __init__(self, page: Page, *, sandbox: str | None, headers: dict[str, str]) -> None:
        self._page = page
        self._sandbox = "" if sandbox is None else f'sandbox="{sandbox}"'
        self._headers = headers
        self._documents: list[str] = []
        self.fetched: list[str] = []
        page.add_init_script(WATCH)
        page.route("**/*", self._answer)

    def show(self, documents: list[str]) -> None:
        self._documents = documents
        self._page.goto(f"{SITE}/page")

    def where(self) -> list[str]:
        """Where each frame is now: still at its document, or carried away."""
        return list(self._page.evaluate(WHERE))

    def acted(self) -> list[str]:
        """The documents whose script ran."""
        return list(self._page.evaluate("window.acted"))

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(SITE)
        headers: dict[str, str] = {}
        if path == "/page":
            frames = (f'<iframe {self._sandbox} src="/{n}"></iframe>' for n in self._numbers())
            body = f"<!DOCTYPE html><title>mail</title>{''.join(frames)}"
        elif path[1:].isdigit():
            body, headers = self._documents[int(path[1:])], self._headers
        else:
            self.fetched.append(route.request.url)
            route.abort()
            return
        route.fulfill(body=body, content_type="text/html; charset=utf-8", headers=headers)

    def _numbers(self) -> range:
        return range(len(self._documents))


def paths(count: int) -> list[str]:
    return [f"/{number}" for number in range(count)]
