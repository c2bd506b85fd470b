"""Reading: how long the server takes for a page, asked over loopback by one person.

The mailbox holds 1,500 mails of the mix and all of them have their summaries. Times are what an
HTTP client sees on a connection that stays open, from the request to the last octet of the answer;
a browser's own work is not in them. Each message is opened once only, each word searched once.

Another mailbox is listed with half of its 20,000 mails and searched with all of them, half of the
texts with accents. What a session has opened it keeps: so each is measured in new sessions, which
ask for the first time, and again and again in one session.

On a busy machine trust the processor time more, which is that of all roles together per page.
"""

import http.client
import itertools
import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from urllib.parse import urlencode

from bench import corpus, ingest
from bench.load import MAILBOXES
from bench.medium import Medium
from bench.meters import percentile, tree_cpu
from bench.ours import DOMAIN, LiveArchive

ROWS = 50
MAILS = 1500
READER = MAILBOXES  # the number of a person to whom no other measurement sends
LARGE_READER = MAILBOXES + 1
PAGES = 4  # of the list, whose messages are opened
_MESSAGE = re.compile(r'href="(/mail/inbox/[a-z2-7]{26})[?"]')
_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


class Browser:
    """A signed-in person's requests over one connection."""

    def __init__(self, port: int, address: str, password: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookies: dict[str, str] = {}
        self.post("/login", {"username": address, "password": password})
        self._token = _TOKEN.findall(self.get("/search"))[0]

    def get(self, path: str) -> str:
        """A page; SystemExit when there is none."""
        return self._ask("GET", path, None, 200)[1]

    def post(self, path: str, fields: dict[str, str]) -> str:
        """Send a form; where the answer leads to."""
        answer, _ = self._ask("POST", path, urlencode(fields), 303)
        return answer.headers["Location"]

    def search(self, words: str) -> str:
        """The first page of what is found."""
        return self.get(self.post("/search", {"q": words, "csrf": self._token}))

    def _ask(
        self, method: str, path: str, body: str | None, status: int
    ) -> tuple[http.client.HTTPResponse, str]:
        headers = {"Cookie": "; ".join(f"{name}={it}" for name, it in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = exchange(self._connection, method, path, body, headers)
        octets = answer.read()
        if answer.status != status:
            raise SystemExit(f"bench: {method} {path} was answered {answer.status}")
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        return answer, octets.decode()


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: str | None,
    headers: dict[str, str],
) -> http.client.HTTPResponse:
    """Ask, and once more where the connection was closed after a rest, as browsers do."""
    try:
        connection.request(method, path, body, headers)
        return connection.getresponse()
    except (http.client.RemoteDisconnected, ConnectionError):
        connection.close()
        connection.request(method, path, body, headers)
        return connection.getresponse()


def fill(service: LiveArchive, place: Medium) -> None:
    """Send the reader's mail, and wait until it can be listed."""
    ingest.Run.measure(service, ingest.Load("mix", 10, 600, MAILS, only=READER), place)


def measure(service: LiveArchive, times: int) -> list[str]:
    """Rows of a table of what each page takes; every page is asked `times` times."""
    browser = _signed_in(service, READER)
    opened = random.Random(1).sample(_links(browser), min(times, ROWS * PAGES))
    actions: dict[str, list[Callable[[], str]]] = {
        f"the inbox, {ROWS} rows of {MAILS:,}": [lambda: browser.get("/mail/inbox")] * times,
        "a message beside its list": [_getting(browser, link) for link in opened],
        "the message's text, for its frame": [_getting(browser, f"{link}/body") for link in opened],
        f"a search of all {MAILS:,}": [_searching(browser, each) for each in _words()[:times]],
    }
    return [_row(service, name, each) for name, each in actions.items()]


def measure_large(service: LiveArchive, place: Medium, mails: int, times: int) -> list[str]:
    """The same of a large mailbox, which is filled meanwhile; cold ones a fifth of `times`."""
    rows = []
    half = mails // 2
    for kind, name, ask in (
        ("6k", f"the inbox, {ROWS} rows of {half:,}", lambda one, _: one.get("/mail/inbox")),
        ("accents", f"a search of all {mails:,}", lambda one, words: one.search(words)),
    ):
        ingest.Run.measure(service, ingest.Load(kind, 10, 600, half, only=LARGE_READER), place)
        words = iter(_words())
        # Signed in right before: a connection at rest is closed after a moment.
        times_first, times_again = max(times // 5, 1), times // 2
        first = (
            partial(ask, _signed_in(service, LARGE_READER), next(words)) for _ in range(times_first)
        )
        rows.append(_row(service, f"{name}, the first time in a session", first))
        browser = _signed_in(service, LARGE_READER)
        ask(browser, next(words))
        again = (partial(ask, browser, next(words)) for _ in range(times_again))
        rows.append(_row(service, f"{name}, again", again))
    return rows


def links(page: str) -> list[str]:
    """The paths of the messages that a list shows, each once."""
    return list(dict.fromkeys(_MESSAGE.findall(page)))


def table(rows: Sequence[str]) -> str:
    """In Markdown."""
    head = ["| page | median ms | p95 ms | CPU ms | times |", "| --- | --: | --: | --: | --: |"]
    return "\n".join([*head, *rows])


def _row(service: LiveArchive, name: str, actions: Iterable[Callable[[], str]]) -> str:
    taken, cpu = [], 0.0
    for action in actions:
        before = tree_cpu(service.roots)
        taken.append(_seconds(action))
        cpu += tree_cpu(service.roots) - before
    cells = (*(percentile(taken, share) for share in (0.5, 0.95)), cpu / len(taken))
    return f"| {name} | {' | '.join(f'{cell * 1000:.1f}' for cell in cells)} | {len(taken)} |"


def _signed_in(service: LiveArchive, reader: int) -> Browser:
    address = f"u{reader}@{DOMAIN}"
    return Browser(service.web_port, address, service.passwords[address])


def _words() -> list[str]:
    return [" ".join(pair) for pair in itertools.product(corpus.WORDS, corpus.WORDS)]


def _links(browser: Browser) -> Sequence[str]:
    found: list[str] = []
    for page in range(1, PAGES + 1):
        listed = links(browser.get(f"/mail/inbox?page={page}"))
        if len(listed) != ROWS:
            raise SystemExit(f"bench: a page of the inbox has {len(listed)} messages, not {ROWS}")
        found += listed
    return found


def _getting(browser: Browser, path: str) -> Callable[[], str]:
    return lambda: browser.get(path)


def _searching(browser: Browser, words: str) -> Callable[[], str]:
    return lambda: browser.search(words)


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
