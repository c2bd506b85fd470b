"""What a person waits for, in Roundcube and in LiveArchive: `./dev bench --only webmail`.

The same four actions over the same mailboxes of 1,500 mails, by one person and by eight at once,
as an HTTP client on one machine with the servers sees them; a browser's own work is in neither.
Each action is all the requests that the page makes for it: Roundcube asks for its page and then
for the list; LiveArchive's message is a page and a frame with the text. Roundcube does not keep
what it read (its caches are off, as they are unless somebody turns them on), LiveArchive keeps it
for the session. A word is searched for in the texts, which ten mails have.
"""

import http.client
import random
import re
import smtplib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from bench import corpus
from bench.medium import Medium
from bench.meters import percentile
from bench.ours import DOMAIN, LiveArchive
from bench.roundcube import roundcube
from bench.web import Browser, exchange, links

PEOPLE = 8
MAILS = 1500
ROWS = 50
WORD = "zebrafalcon"
HITS = 10
_HIT = f" {WORD} ".encode()
TIMES = {"inbox": 8, "message": 15, "reply": 3, "search": 3}


class Person(Protocol):
    """Somebody who is signed in."""

    def inbox(self) -> None: ...
    def message(self) -> None: ...
    def reply(self) -> None: ...
    def search(self) -> None: ...


class InRoundcube:
    """A person in Roundcube, by the requests that its page makes."""

    def __init__(self, port: int, user: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        self._cookies: dict[str, str] = {}
        self._uids: list[str] = []
        token = _one(r'name="_token" value="([^"]+)"', self._get("_task=login"))
        form = {"_token": token, "_task": "login", "_action": "login", "_timezone": "UTC"}
        form |= {"_url": "", "_user": f"{user}@{DOMAIN}", "_pass": "any"}
        self._post("_task=login", form)

    def inbox(self) -> None:
        page = self._get("_task=mail&_mbox=INBOX")
        self._token = _one(r'"request_token":"([^"]+)"', page)
        rows = self._ajax("_task=mail&_action=list&_refresh=1&_mbox=INBOX")
        self._uids = re.findall(r"add_message_row\((\d+)", rows)
        _expect(len(self._uids), ROWS)

    def message(self) -> None:
        uid = random.choice(self._uids)
        page = self._get(f"_task=mail&_mbox=INBOX&_uid={uid}&_action=show")
        _expect(page.count('id="messagebody"'), 1)

    def reply(self) -> None:
        uid = random.choice(self._uids)
        page = self._get(f"_task=mail&_action=compose&_reply_uid={uid}&_mbox=INBOX")
        form = dict.fromkeys(("_attachments", "_cc", "_bcc", "_replyto", "_followupto"), "")
        form |= {
            "_token": self._token,
            "_task": "mail",
            "_action": "send",
            "_id": _one(r'"compose_id":"([^"]+)"', page),
            "_from": _one(r'<select name="_from"[^>]*>.*?<option value="(\d+)"', page),
            "_to": f"u{PEOPLE}@{DOMAIN}",
            "_subject": "Re: test",
            "_draft_saveid": "",
            "_draft": "",
            "_is_html": "0",
            "_framed": "1",
            "_message": "Thank you.\n\nregards\n> quoted",
            "_store_target": "",
            "editorSelector": "plain",
            "_priority": "0",
        }
        said = self._post("_task=mail&_unlock=loading1&_framed=1&_lang=en", form)
        _expect(said.count("sent_successfully"), 1)

    def search(self) -> None:
        rows = self._ajax(
            "_task=mail&_action=search&_mbox=INBOX&_headers=body&_scope=base&_filter=ALL"
            f"&_interval=&_q={WORD}"
        )
        _expect(rows.count("add_message_row"), HITS)

    def _get(self, query: str) -> str:
        return self._ask("GET", query, None, {})

    def _post(self, query: str, form: dict[str, str]) -> str:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", query, urlencode(form), kind)

    def _ajax(self, query: str) -> str:
        headers = {"X-Roundcube-Request": self._token, "X-Requested-With": "XMLHttpRequest"}
        return self._ask("GET", f"{query}&_remote=1&_unlock=loading1", None, headers)

    def _ask(self, method: str, query: str, body: str | None, headers: dict[str, str]) -> str:
        cookies = "; ".join(f"{name}={it}" for name, it in self._cookies.items())
        whole = headers | {"Cookie": cookies}
        answer = exchange(self._connection, method, f"/?{query}", body, whole)
        octets = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        if answer.status == 302 and method == "GET":  # to a compose page of its own
            return self._get(urlsplit(answer.headers["Location"]).query)
        if answer.status not in (200, 302):
            raise SystemExit(f"bench: Roundcube answered {answer.status}")
        return octets.decode("utf-8", "replace")


class InLiveArchive:
    """A person in LiveArchive, by the requests that its page makes."""

    def __init__(self, service: LiveArchive, user: str) -> None:
        address = f"{user}@{DOMAIN}"
        self._browser = Browser(service.web_port, address, service.passwords[address])
        self._links: list[str] = []

    def inbox(self) -> None:
        self._links = links(self._browser.get("/mail/inbox"))
        _expect(len(self._links), ROWS)

    def message(self) -> None:
        link = random.choice(self._links)
        self._browser.get(link)
        self._browser.get(f"{link}/body")

    def reply(self) -> None:
        path = random.choice(self._links).replace("/mail/inbox/", "/compose/reply/")
        page = self._browser.get(path)
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        form["from"] = _one(r'name="from".*?<option value="([^"]+)"', page)
        form |= {"to": f"u{PEOPLE}@{DOMAIN}", "cc": "", "bcc": "", "subject": "Re: test"}
        self._browser.post(path, form | {"message": "Thank you.\n\nregards\n> quoted"})

    def search(self) -> None:
        _expect(len(links(self._browser.search(WORD))), HITS)


@dataclass(slots=True)
class Timings:
    """Of one action in one webmail."""

    seconds: list[float] = field(default_factory=list)
    spans: list[float] = field(default_factory=list)  # of each round, all people together

    def together(self, people: Sequence[Person], action: str, times: int) -> None:
        """Let all do it at once, each so often."""
        begun = time.perf_counter()
        with ThreadPoolExecutor(len(people)) as pool:
            for taken in pool.map(lambda person: _timed(person, action, times), people):
                self.seconds += taken
        self.spans.append(time.perf_counter() - begun)

    @property
    def rate(self) -> float:
        """How often a second, by all of them."""
        return len(self.seconds) / sum(self.spans)


@dataclass(frozen=True, slots=True)
class Webmail:
    """People in one of them, and what is measured there."""

    name: str
    people: Sequence[Person]
    times: dict[str, int]  # of each action
    alone: Sequence[str] = ()  # what only one person does


def compare(service: LiveArchive, place: Medium, rounds: int, *, xapian: bool) -> str:
    """Fill the mailboxes, measure in turn, and give the table in Markdown."""
    users = [f"u{number}" for number in range(PEOPLE)]
    with ThreadPoolExecutor(PEOPLE) as pool:
        list(pool.map(lambda user: _fill(service.port, user, lmtp=False), users))
    _wait_for_summaries(service)
    with ExitStack() as running:
        mine = [InLiveArchive(service, user) for user in users]
        webmails = [Webmail("LiveArchive", mine, TIMES)]
        for index in (False, True) if xapian else (False,):
            folder = place.folder / f"roundcube-{index}"
            imap, web = running.enter_context(roundcube(folder, index=index))
            _fill(imap.port, users[0], lmtp=True)
            begun = time.perf_counter()
            if index:
                imap.index(users[0])
                print(f"Xapian's index took {time.perf_counter() - begun:.0f} s a mailbox")
            imap.copy(users[0], users[1:])
            theirs = [InRoundcube(web.port, user) for user in users]
            only = {"inbox": 1, "search": TIMES["search"]} if index else TIMES | {"search": 1}
            name = "Roundcube, Xapian's index" if index else "Roundcube"
            webmails.append(Webmail(name, theirs, only, () if index else ("search",)))
        return _table(_measure(webmails, rounds))


def _measure(webmails: Sequence[Webmail], rounds: int) -> dict[tuple[int, str, str], Timings]:
    found: dict[tuple[int, str, str], Timings] = {}
    for _ in range(rounds):
        for count in (1, PEOPLE):
            for webmail in webmails:
                for action, times in webmail.times.items():
                    if count == 1 or action not in webmail.alone:
                        timings = found.setdefault((count, action, webmail.name), Timings())
                        timings.together(webmail.people[:count], action, times)
    return found


def _table(found: dict[tuple[int, str, str], Timings]) -> str:
    lines = [
        "| people | action | webmail | median ms | p95 ms | a second | LiveArchive is faster |"
    ]
    lines += ["| --: | --- | --- | --: | --: | --: | --: |"]
    for (count, action, name), timings in sorted(found.items()):
        ours = found[count, action, "LiveArchive"]
        middle, late = (percentile(timings.seconds, share) * 1000 for share in (0.5, 0.95))
        ratio = middle / (percentile(ours.seconds, 0.5) * 1000)
        times = "" if timings is ours else f"{ratio:.1f} times"
        figures = f"{middle:.1f} | {late:.1f} | {timings.rate:.1f}"
        lines.append(f"| {count} | {action} | {name} | {figures} | {times} |")
    return "\n".join(lines)


def _timed(person: Person, action: str, times: int) -> list[float]:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        getattr(person, action)()
        taken.append(time.perf_counter() - begun)
    return taken


def _fill(port: int, user: str, *, lmtp: bool) -> None:
    """Send one mailbox its mails, of which every 150th has the word."""
    with (smtplib.LMTP if lmtp else smtplib.SMTP)("127.0.0.1", port, "bench") as session:
        for number, mail in enumerate(corpus.mails("mix", MAILS)):
            hit = number % (MAILS // HITS) == MAILS // HITS // 2
            octets = corpus.mail("6k", number).replace(b" the ", _HIT, 1) if hit else mail
            session.sendmail("sender@example.net", [f"{user}@{DOMAIN}"], octets)


def _wait_for_summaries(service: LiveArchive) -> None:
    while service.without_summary():
        time.sleep(0.1)


def _one(pattern: str, page: str) -> str:
    found = re.search(pattern, page, re.DOTALL)
    if found is None:
        raise SystemExit(f"bench: a page lacks {pattern}")
    return found[1]


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        raise SystemExit(f"bench: a webmail shows {found} of {wanted}")
