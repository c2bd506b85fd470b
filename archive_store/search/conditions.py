"""What each operator of a query tests, and what its value may be."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import IntEnum
from typing import Final, Protocol

from archive_store.mime.folding import fold
from archive_store.search.problems import ProblemKind

_SIZE: Final = re.compile(r"(\d{1,12}(?:\.\d{1,3})?)([kmg]?)b?", re.IGNORECASE)
_DATE: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_UNITS: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_FIELDS: Final = {
    "from": b"f",
    "to": b"t",
    "cc": b"c",
    "subject": b"s",
    "filename": b"a",
    "body": b"b",
}
_FOLDERS: Final = frozenset(("inbox", "sent", "drafts", "trash", "spam", "archive"))
EVERYWHERE: Final = frozenset(("anywhere", "all"))
_ATTACHMENT: Final = frozenset(("attachment", "attachments", "file", "files"))


class Facts(Protocol):
    """What the index knows of an entry without opening anything."""

    @property
    def folder(self) -> str: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def size(self) -> int: ...
    @property
    def seen(self) -> bool: ...
    @property
    def answered(self) -> bool: ...
    @property
    def forwarded(self) -> bool: ...
    @property
    def starred(self) -> bool: ...
    @property
    def attachments(self) -> bool: ...


class Candidate:
    """One entry while it is being asked."""

    __slots__ = ("facts", "sent_to", "words")

    def __init__(self, facts: Facts, words: bytes = b"", sent_to: str = "") -> None:
        self.facts = facts
        self.words = words
        self.sent_to = sent_to  # the envelope recipient; found by to: as well

    def section(self, letter: bytes) -> bytes:
        """The words of one section (`mime.summary.words`), folded. The short ones come first, so
        looking for one is cheaper than telling all apart.
        """
        begin = letter + b"\t"
        start = len(begin)
        if not self.words.startswith(begin):
            before = self.words.find(b"\n" + begin)
            if before < 0:
                return b""
            start += before + 1
        end = self.words.find(b"\n", start)
        return self.words[start:end] if end >= 0 else self.words[start:]


Test = Callable[[Candidate], bool]


class Needs(IntEnum):
    """What a condition has to have opened; the higher has the lower."""

    FACTS = 0
    WORDS = 1
    SUMMARY = 2


@dataclass(frozen=True, slots=True)
class Condition:
    """What is tested; `needle` is the folded text that is looked for, if it is one."""

    test: Test
    needs: Needs = Needs.FACTS
    needle: str = ""


@dataclass(frozen=True, slots=True)
class Days:
    """What days mean to the reader: `today`, if it is known, and their zone."""

    today: date | None
    zone: tzinfo

    def read(self, value: str) -> date | None:
        """A day as it is written in a query."""
        if self.today is not None and value in ("today", "yesterday"):
            return self.today - timedelta(days=value == "yesterday")
        match = _DATE.fullmatch(value)
        if match is None:
            return None
        try:
            return date(*map(int, match.groups()))
        except ValueError:  # the 31st of February
            return None

    def start(self, day: date) -> datetime:
        """The moment at which a day begins for the reader."""
        try:
            return datetime.combine(day, time(), self.zone).astimezone(UTC)
        except OverflowError:  # the first or the last day that there is
            return datetime.combine(day, time(), UTC)


def words(text: str) -> Condition | None:
    """Plain words, wherever they stand; None when nothing is left to look for."""
    needle = fold(text)
    octets = needle.encode(errors="surrogatepass")
    return Condition(lambda one: octets in one.words, Needs.WORDS, needle) if needle else None


def condition(operator: str, value: str, days: Days) -> Condition | ProblemKind | None:
    """What `operator:value` asks for, or why it makes no sense; None: it is no operator."""
    letter = _FIELDS.get(operator)
    if letter is not None:
        return _field(letter, fold(value)) or ProblemKind.ALONE
    if operator in _DAYS:
        return _day(operator, value.lower(), days) or ProblemKind.DAY
    make = _OTHERS.get(operator)
    return make[0](value.lower()) or make[1] if make else None


def _field(letter: bytes, needle: str) -> Condition | None:
    if not needle:
        return None
    octets = needle.encode(errors="surrogatepass")
    if letter == b"t":
        return Condition(
            lambda one: octets in one.section(letter) or needle in fold(one.sent_to),
            Needs.SUMMARY,
            needle,
        )
    return Condition(lambda one: octets in one.section(letter), Needs.WORDS, needle)


def _day(operator: str, value: str, days: Days) -> Condition | None:
    day = days.read(value)
    if day is None:
        return None
    start = days.start(day)
    if operator == "before":
        return Condition(lambda one: one.facts.received_at < start)
    if operator == "on":
        end = days.start(day + timedelta(days=1)) if day < date.max else start + timedelta(days=1)
        return Condition(lambda one: start <= one.facts.received_at < end)
    # The day itself counts, as people mean it when they look for "since".
    return Condition(lambda one: one.facts.received_at >= start)


def _has(value: str) -> Condition | None:
    return Condition(lambda one: one.facts.attachments) if value in _ATTACHMENT else None


def _in(value: str) -> Condition | None:
    if value in EVERYWHERE:
        return Condition(lambda _: True)
    return Condition(lambda one: one.facts.folder == value) if value in _FOLDERS else None


def _is(value: str) -> Condition | None:
    return _STATES.get(value)


def _larger(value: str) -> Condition | None:
    size = _size(value)
    return Condition(lambda one: one.facts.size > size) if size is not None else None


def _smaller(value: str) -> Condition | None:
    size = _size(value)
    return Condition(lambda one: one.facts.size < size) if size is not None else None


def _size(value: str) -> float | None:
    match = _SIZE.fullmatch(value)
    return float(match.group(1)) * _UNITS[match.group(2).lower()] if match else None


_STATES: Final[dict[str, Condition]] = {
    "unread": Condition(lambda one: not one.facts.seen),
    "read": Condition(lambda one: one.facts.seen),
    "starred": Condition(lambda one: one.facts.starred),
    "answered": Condition(lambda one: one.facts.answered),
    "replied": Condition(lambda one: one.facts.answered),
    "forwarded": Condition(lambda one: one.facts.forwarded),
}
_DAYS: Final = frozenset(("before", "after", "since", "on"))
_OTHERS: Final[dict[str, tuple[Callable[[str], Condition | None], ProblemKind]]] = {
    "has": (_has, ProblemKind.HAS),
    "in": (_in, ProblemKind.FOLDER),
    "is": (_is, ProblemKind.STATE),
    "larger": (_larger, ProblemKind.SIZE),
    "smaller": (_smaller, ProblemKind.SIZE),
}
OPERATORS: Final = frozenset(_FIELDS) | _DAYS | frozenset(_OTHERS)
