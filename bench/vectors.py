"""Every published attack on sanitisers by real mail in a real browser: `python -m bench.vectors`.

Each vector of `tests/corpus` is sent by SMTP to a running service and opened in Chromium on its
message page, three times: as the product is, without the sanitiser (the frame gets what the
attacker wrote), and without the frame's walls (no sandbox, and a policy that only reports). Every
name but the service's leads to a listener on this machine that counts connections.

An attack counts when something ran, was reported that it would have run or loaded, connected,
opened a window or a dialogue, or moved the frame or the page. Prints the number of vectors and of
attacks that did anything; exit status 1 when there was one.
"""

import argparse
import contextlib
import re
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Route,
    sync_playwright,
)

from tests.corpus.markup import HOSTILE
from tests.corpus.vectors import REPORTING, published
from tests.parts.browser import ARGUMENTS, chromium
from tests.parts.network import wait_until
from tests.scenarios.service import PASSWORD, Service, running_primary

READER = "vlad@acme.example"
BATCH = 500  # mails that are opened before the next are sent; a session opens 600 a minute
ACTED = "acted"
# What Chromium itself looks for, by the name in its first octets (Host, or SNI).
_THE_BROWSERS_OWN = re.compile(
    rb"(?:content-autofill|update)\.googleapis\.com|accounts\.google\.com"
)
_SANDBOX = re.compile(r' sandbox="[^"]*"')


class Outside:
    """A listener that stands for every other machine, and notes who was looked for."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.sought: list[bytes] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # closed
                return
            with connection:
                connection.settimeout(1)
                with contextlib.suppress(OSError):
                    said = connection.recv(4096)
                    if not _THE_BROWSERS_OWN.search(said):
                        self.sought.append(said)


@dataclass  # without slots: Playwright keeps a mark on who listens
class Reader:
    """The signed-in browser, what it shows in the frame, and what it saw."""

    context: BrowserContext
    page: Page
    site: str
    outside: Outside
    seen: list[str] = field(default_factory=list)
    shown: Callable[[Route], None] | None = None  # how a body is answered
    walled: bool = True

    def watch(self) -> None:
        self.page.on("dialog", self._dismiss)
        self.page.on("console", self._hear)
        self.context.on("page", self._shut)
        self.context.route("**/mail/inbox/*", self._message)
        self.context.route("**/mail/inbox/*/body", self._body)

    def open(self, path: str) -> list[str]:
        """What a message did when it was opened and touched; empty when nothing."""
        self.seen.clear()
        before = len(self.outside.sought)
        self.page.goto(f"{self.site}{path}", wait_until="load")  # the frame's load is a part of it
        inner = next(one for one in self.page.frames if one.parent_frame is not None)
        self.seen += [f"connection: {said!r}" for said in self.outside.sought[before:]]
        if not inner.url.endswith("/body"):
            self.seen.append(f"the frame moved to {inner.url[:80]}")
        if not self.page.url.endswith(path):
            self.seen.append(f"the page moved to {self.page.url[:80]}")
        return [*self.seen]

    def _dismiss(self, dialog: Dialog) -> None:
        self.seen.append("dialogue")
        dialog.dismiss()

    def _shut(self, page: Page) -> None:
        self.seen.append("window")
        page.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.text == ACTED:
            self.seen.append("script")
        elif not self.walled and "Report Only" in message.text:
            self.seen.append(message.text[:160])

    def _message(self, route: Route) -> None:
        if self.walled or not route.request.is_navigation_request():
            route.fallback()
            return
        answer = route.fetch()
        route.fulfill(response=answer, body=_SANDBOX.sub("", answer.text(), count=0))

    def _body(self, route: Route) -> None:
        if self.shown is None:
            route.fallback()
        else:
            self.shown(route)


def as_written(markup: str) -> Callable[[Route], None]:
    """The body without the sanitiser: the headers are those of the product."""

    def answer(route: Route) -> None:
        route.fulfill(response=route.fetch(), body=f"<!DOCTYPE html>{markup}")

    return answer


def unwalled(route: Route) -> None:
    """The body without a policy that binds."""
    answer = route.fetch()
    headers = answer.headers | {"content-security-policy-report-only": REPORTING}
    del headers["content-security-policy"]
    route.fulfill(response=answer, headers=headers)


def send(number: int, markup: str, client: SMTP) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "Mallory <mallory@evil.example>", READER
    message["Subject"] = f"Vector {number}"
    octets = markup.encode("utf-8", "replace")
    message.set_content(octets, maintype="text", subtype="html", cte="base64")
    message.set_param("charset", "utf-8")
    client.send_message(message)


@contextmanager
def reading(browser: Browser, service: Service, outside: Outside) -> Iterator[Reader]:
    context = browser.new_context()
    context.add_init_script(
        "for (const n of ['alert','confirm','prompt','print','pwned','open','eval'])"
        " window[n] = () => console.log('acted');"
    )
    page = context.new_page()
    page.goto(f"{service.url}/login")
    page.get_by_label("Address").fill(READER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/mail/inbox")
    reader = Reader(context, page, service.url, outside)
    reader.watch()
    yield reader
    context.close()


def attack(reader: Reader, path: str, markup: str) -> list[str]:
    """What one mail does with both walls, and with each of them removed."""
    done: list[str] = []
    for name, shown, walled in (
        ("both walls", None, True),
        ("no sanitiser", as_written(markup), True),
        ("no frame", unwalled, False),
    ):
        reader.shown, reader.walled = shown, walled
        done += [f"{name}: {what}" for what in reader.open(path)]
    return done


def arrive(service: Service, some: dict[int, str]) -> dict[int, str]:
    """Send vectors by SMTP; the id of each one's message once all are there."""
    there = len(service.messages()) + len(some)
    with SMTP("127.0.0.1", service.ports.smtp, timeout=60) as client:
        for number, markup in some.items():
            send(number, markup, client)
    wait_until(lambda: len(service.messages()) == there, "all are there", seconds=300)
    ids = {message.subject: message.id for message in service.messages()}
    return {number: ids[f"Vector {number}"] for number in some}


def attack_all(service: Service, browser: Browser, outside: Outside, markups: list[str]) -> int:
    """How many of them did anything."""
    bad = 0
    for start in range(0, len(markups), BATCH):
        some = dict(enumerate(markups[start : start + BATCH], start))
        ids = arrive(service, some)
        with reading(browser, service, outside) as reader:
            for number, markup in some.items():
                done = attack(reader, f"/mail/inbox/{ids[number]}", markup)
                bad += bool(done)
                for what in done:
                    print(f"{number}: {what}: {markup[:100]!r}", flush=True)
        print(f"{start + len(some)} of {len(markups)}", file=sys.stderr, flush=True)
    return bad


def run(every: int) -> int:
    """The whole of it; the exit status."""
    markups = [*HOSTILE.values(), *(vector.markup for vector in published())][::every]
    outside = Outside()
    rules = f"--host-resolver-rules=MAP * 127.0.0.1:{outside.port}, EXCLUDE 127.0.0.1"
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        service = Service(Path(name), "sqlite://")
        with running_primary(Path(name), service.ports):
            service.set_up()
            service.start()
            browser = playwright.chromium.launch(
                executable_path=chromium(), args=[*ARGUMENTS, rules]
            )
            try:
                bad = attack_all(service, browser, outside, markups)
            finally:
                browser.close()
                service.stop()
    print(f"{len(markups)} vectors, with both walls and without either: {bad} did anything,")
    print(f"{len(outside.sought)} connections to the outside")
    return 1 if bad or outside.sought else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.vectors", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take each n-th vector only")
    sys.exit(run(parser.parse_args().every))
