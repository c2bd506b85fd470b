"""No text of ours is left untranslated: in a language where every translated text stands in
brackets, no page has a word outside of them but in what people wrote.

So this finds a text that nobody has marked, in a template, in Python and in the attributes that
are read out or that scripts show.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from gettext import NullTranslations
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi import FastAPI

from app.languages import Language
from app.languages.speech import Speech
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

VLAD = "vlad@acme.example"
MARIA = "maria@acme.example"
AUDITOR = "audit@acme.example"
PROVIDER = "provider@livearchive.example"
# Days and sizes are those of Japanese, which have no Latin letters but the units.
PSEUDO = Language("ja", "Pseudo", "ja", "y年M月d日EEEE", "M月d日EEEE", "M月d日(EEE)", "M月d日")
OURS = re.compile(r"⟦[^⟦⟧]*⟧")
WORD = re.compile(r"[A-Za-z]{2,}")
SAID = ("title", "aria-label", "placeholder", "alt", "label")
# Data of a mail itself: what others' programs write at its seams, and its text.
OF_MAIL = {"data-words", "data-parts", "data-end", "data-html"}
# Texts that are the same in every language.
NAMES = re.compile(
    r"[\w.+-]+@[\w.-]+|[\w.-]+\.example|https?://\S*|LiveArchive( \(\w+\))?"
    r"|\b(SMTP|IMAP|DKIM|SPF|DMARC|MX|TLS|DNS|TXT|PDF|UTC|CET|byte|[kKMG]B|Ctrl|Enter|Shift)\b"
)
UNSAID = {"script", "style", "code", "kbd", "bdi", "textarea"}
VOID = {"meta", "link", "input", "br", "hr", "img", "path", "use", "line", "rect", "circle"}

LETTER = sample.entry_id(1)
DOMAIN, PERSON, HOLD = sample.entry_id(900), sample.entry_id(700), sample.entry_id(600)
PAGES: dict[str, Sequence[str]] = {
    "": ("/login", "/login/code", "/nowhere"),
    VLAD: (
        "/mail/inbox",
        "/mail/inbox?filter=unread",
        "/mail/starred",
        "/mail/sent",
        "/mail/drafts",
        "/mail/archive",
        "/mail/spam",
        "/mail/trash",
        "/mail/scheduled",
        *(f"/mail/inbox/{letter.row.id}" for letter in sample.letters()),
        f"/mail/inbox/{LETTER}/source",
        f"/mail/inbox/{LETTER}/print",
        "/compose/new",
        f"/compose/reply/{LETTER}",
        f"/compose/forward/{LETTER}",
        f"/compose/enclose/{LETTER}",
        "/search",
        "/settings",
        "/settings/login",
        "/settings/confirm",
        "/nowhere",
        "/admin/users",
    ),
    MARIA: (
        "/admin/",
        "/admin/runbook",
        "/admin/domains",
        f"/admin/domains/{DOMAIN}",
        f"/admin/domains/{DOMAIN}/outages",
        f"/admin/domains/{DOMAIN}/dns",
        f"/admin/domains/{DOMAIN}/webhook",
        "/admin/users",
        "/admin/users/new",
        f"/admin/users/{PERSON}/login",
        "/admin/maillog",
        f"/admin/maillog/{sample.entry_id(500)}",
        "/admin/queue",
        f"/admin/queue/{sample.entry_id(300)}/drop",
        "/admin/audit",
        "/admin/holds",
    ),
    AUDITOR: (
        "/admin/audit",
        "/admin/holds",
        f"/admin/holds/{HOLD}",
        f"/admin/holds/{HOLD}/release",
        "/settings",
    ),
    PROVIDER: ("/admin/", "/admin/domains", "/admin/domains/new", "/settings"),
}


class Brackets(NullTranslations):
    """Every text in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"

    def pgettext(self, context: str, message: str) -> str:
        return f"⟦{message}⟧"


class Said(HTMLParser):
    """What a page says: its texts, and what is read out; what people wrote is left out."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self._open.append((tag, self._is_theirs or is_theirs(tag, values)))
        for name, value in values.items():
            scripts = name.startswith("data-") and " " in value and name not in OF_MAIL
            is_place = tag == "a" and values.get("href", "").endswith(f"//{value}")  # a mail's own
            if (name in SAID or scripts) and not is_place:
                self.found.append(value)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self._is_theirs:
            self.found.append(data)

    @property
    def _is_theirs(self) -> bool:
        return bool(self._open) and self._open[-1][1]


def is_theirs(tag: str, attributes: dict[str, str]) -> bool:
    """Whether an element holds what somebody wrote, what is no prose, or a language's own name."""
    other = tag != "html" and ("dir" in attributes or "lang" in attributes)
    classes = attributes.get("class", "").split()
    return tag in UNSAID or other or "avatar" in classes or "mono" in classes


def strings(value: Any, seen: dict[int, object]) -> Iterator[str]:
    """Every text within a value, however deep. What was seen is kept, so that ids stay its own."""
    if isinstance(value, str):
        yield value
        return
    if id(value) in seen:
        return
    seen[id(value)] = value
    if isinstance(value, dict):
        parts: Iterable[Any] = [*value, *value.values()]
    elif isinstance(value, (list, tuple)):
        parts = value
    else:
        names = [*getattr(value, "__dict__", ()), *getattr(value, "__slots__", ())]
        parts = [getattr(value, name, None) for name in names]
    for part in parts:
        yield from strings(part, seen)


def without_hidden(text: str) -> str:
    """As a page shows it: no character that turns the direction or joins."""
    return "".join(one for one in text if unicodedata.category(one) != "Cf")


@pytest.fixture
def theirs(world: World) -> list[str]:
    """What people of the samples wrote, the longest first; a lower-case word is a name in code."""
    found = strings([world, sample.letters(), sample.PEOPLE, sample.LONG_WORD], {})
    texts = {" ".join(without_hidden(text).split()) for text in found}
    written = [one for one in texts if len(one) > 3 and not re.fullmatch("[a-z_-]+", one)]
    return sorted(written, key=len, reverse=True)


@pytest.fixture
def bracketed(app: FastAPI) -> FastAPI:
    speech = Speech(PSEUDO, Brackets())
    app.state.speeches = lambda tag: speech
    return app


def unmarked(page: str, theirs: list[str]) -> Iterator[str]:
    """The texts of a page that nobody translates."""
    for said in Said(page).found:
        rest = " ".join(without_hidden(said).split())
        while OURS.search(rest):  # one may stand inside another
            rest = OURS.sub(" ", rest)
        if not WORD.search(rest):
            continue
        for text in theirs:
            if not NAMES.fullmatch(text):
                rest = rest.replace(text, " ")
        if WORD.search(NAMES.sub(" ", rest)):
            yield said


@pytest.mark.parametrize("who", PAGES)
def test_every_text_of_a_page_is_translated(
    bracketed: FastAPI, theirs: list[str], who: str
) -> None:
    client = Client(bracketed)
    if who:
        client.sign_in(who)
    offenders = {
        f"{path}: {text!r}"
        for path in PAGES[who]
        for text in unmarked(client.get(path).text, theirs)
    }
    assert not offenders, "\n".join(["no _() or phrase() around:", *sorted(offenders)])
