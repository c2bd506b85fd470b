"""An invitation (iTIP, RFC 5546) as a frozen value, and how a process comes by one.

A calendar is parsed where hostile mail is: `Invitations` asks a child of its own (`calendars`),
started for the first mail that has one. What comes back is checked once more here. Nothing is
expanded: a rule of recurrence stays the text that it is, and a time stays what a clock on some
wall shows, beside the name of its zone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from archive_store.address import EmailAddress
from archive_store.errors import StoreBusy
from archive_store.mime.values import Address
from archive_store.mime.worker import ChildFailed, ParserPool, PoolLimits

MODULE: Final = "archive_store.mime.calendars"
LIMITS: Final = PoolLimits(children=1, seconds=2.0, memory=512 * 1024 * 1024)
INVITATION: Final = 6  # the operation, beside those of `child`
METHODS: Final = ("REQUEST", "CANCEL", "REPLY")
PARTSTATS: Final = ("NEEDS-ACTION", "ACCEPTED", "TENTATIVE", "DECLINED", "DELEGATED")
UTC_NAME: Final = "UTC"


@dataclass(frozen=True, slots=True)
class Moment:
    """A day (20261201) or a local time (20261201T090000) in a zone.

    `zone` is a name of the IANA's, or one that only the sender knows; empty: any reader's own.
    """

    text: str
    zone: str = ""

    @property
    def is_day(self) -> bool:
        return len(self.text) == len("20261201")

    @property
    def day(self) -> date:
        return datetime.strptime(self.text[:8], "%Y%m%d").date()  # noqa: DTZ007 (a day has no zone)

    @property
    def local(self) -> datetime:
        return datetime.strptime(self.text, "%Y%m%dT%H%M%S")  # noqa: DTZ007 (see `zone`)

    @property
    def known_zone(self) -> tzinfo | None:
        if self.zone == UTC_NAME:
            return UTC
        return ZoneInfo(self.zone) if self.zone in _zones() else None


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who is invited; the address parses strictly."""

    name: str
    address: str
    partstat: str  # one of PARTSTATS


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """The first event of a calendar, as its sender claims it: nothing here is proven."""

    method: str  # one of METHODS
    uid: str
    sequence: int = 0
    summary: str = ""
    location: str = ""
    start: Moment | None = None
    end: Moment | None = None  # of whole days the day after the last
    recurrence: Moment | None = None  # which one of a series it is about (RECURRENCE-ID)
    rule: str = ""  # RRULE as it is written
    organizer: Address | None = None  # the address parses strictly
    attendees: tuple[Attendee, ...] = ()


class Invitations:
    """Finds the invitation of a message; safe to share between threads."""

    def __init__(self) -> None:
        self._pool = ParserPool(LIMITS, module=MODULE)

    def invitation(self, octets: bytes) -> Invitation | None:
        """None when there is none, or it cannot be read: its mail is shown all the same."""
        try:
            return self._pool.ask(INVITATION, 0, [octets], lambda row, _: read(row))
        except (ChildFailed, StoreBusy):
            return None

    def close(self) -> None:
        self._pool.close()


def write(found: Invitation | None) -> Any:
    """What JSON can carry."""
    return asdict(found) if found else None


def read(row: Any) -> Invitation | None:
    """Undo `write`; ValueError, TypeError or KeyError for what is no invitation."""
    if row is None:
        return None
    if row["method"] not in METHODS:
        raise ValueError("no method of ours")
    people = tuple(_attendee(one) for one in row["attendees"])
    organizer = row["organizer"]
    return Invitation(
        method=str(row["method"]),
        uid=str(row["uid"]),
        sequence=int(row["sequence"]),
        summary=str(row["summary"]),
        location=str(row["location"]),
        start=_moment(row["start"]),
        end=_moment(row["end"]),
        recurrence=_moment(row["recurrence"]),
        rule=str(row["rule"]),
        organizer=Address(str(organizer["name"]), _address(organizer)) if organizer else None,
        attendees=people,
    )


def _attendee(row: Any) -> Attendee:
    if row["partstat"] not in PARTSTATS:
        raise ValueError("no such answer")
    return Attendee(str(row["name"]), _address(row), str(row["partstat"]))


def _address(row: Any) -> str:
    return EmailAddress.parse(row["address"]).text


def _moment(row: Any) -> Moment | None:
    if row is None:
        return None
    return checked(Moment(str(row["text"]), str(row["zone"])))


def checked(moment: Moment) -> Moment:
    """The same; ValueError when there is no such day or time."""
    _ = moment.day if moment.is_day else moment.local
    return moment


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
