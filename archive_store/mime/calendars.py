"""The invitation in a message (iMIP, RFC 6047; iTIP, RFC 5546; iCalendar, RFC 5545).

Run as a child of its own by `invitation.Invitations`: a hostile calendar costs its own card and
nothing else. Lines are taken apart by icalendar; of the components only the first event is read,
and no recurrence is ever expanded. Text is one line, without characters that hide or turn other
text. Addresses that do not parse strictly are left out.
"""

from __future__ import annotations

import logging
import re
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from icalendar import vDuration
from icalendar.parser import Contentlines, Parameters
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from archive_store.address import BadAddress, EmailAddress
from archive_store.mime import clean
from archive_store.mime.child import READY, Answer, give_up, serve
from archive_store.mime.invitation import (
    INVITATION,
    METHODS,
    PARTSTATS,
    UTC_NAME,
    Attendee,
    Invitation,
    Moment,
    checked,
    write,
)
from archive_store.mime.parse import attachment_octets, parse_message
from archive_store.mime.values import Address

CALENDAR: Final = "text/calendar"
MOST_OCTETS: Final = 512 * 1024
MOST_LINES: Final = 10_000
MOST_COMPONENTS: Final = 200
MOST_ATTENDEES: Final = 200
LONGEST_LINE: Final = 1_000  # characters of a text that are shown
LONGEST_UID: Final = 1_024
_MOMENT: Final = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")
_SEQUENCE: Final = re.compile(r"[0-9]{1,9}")
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){1,2}$")


@dataclass(frozen=True, slots=True)
class Line:
    """A property of the event; `value` is not unescaped yet where it is text."""

    name: str
    parameters: Parameters
    raw: str
    text: str


def invitation_in(octets: bytes) -> Invitation | None:
    """The invitation among the parts of a message: the first part that names a method of ours."""
    for one in parse_message(octets).attachments:
        if one.content_type == CALENDAR and one.method in METHODS and one.size <= MOST_OCTETS:
            _, content = attachment_octets(octets, one.index)
            # RFC 6047 section 2.4 has the method in both places, and they must agree.
            return invitation_of(content.decode("utf-8", "replace"), one.method)
    return None


def invitation_of(calendar: str, method: str) -> Invitation | None:
    """The first event of a calendar; None when it is none of that method, or too large."""
    try:
        return _read(calendar, method)
    except (ValueError, IndexError, KeyError, OverflowError):
        return None


def _read(calendar: str, method: str) -> Invitation | None:
    own, event = _first_event(calendar)
    found = {line.name: line for line in reversed(event)}  # the first of each
    uid = found["UID"].text
    if own.upper() != method or not uid or len(uid) > LONGEST_UID or clean.name(uid) != uid:
        return None
    sequence = _raw(found, "SEQUENCE")
    start = _moment(found.get("DTSTART"))
    people = [line for line in event if line.name == "ATTENDEE"][:MOST_ATTENDEES]
    organizer = found.get("ORGANIZER")
    return Invitation(
        method=method,
        uid=uid,
        sequence=int(sequence) if _SEQUENCE.fullmatch(sequence) else 0,
        summary=_text(found, "SUMMARY"),
        location=_text(found, "LOCATION"),
        start=start,
        end=_moment(found.get("DTEND")) or _after(start, _raw(found, "DURATION")),
        recurrence=_moment(found.get("RECURRENCE-ID")),
        rule=clean.line(_raw(found, "RRULE"))[:LONGEST_LINE],
        organizer=_person(organizer) if organizer else None,
        attendees=tuple(_attendees(people)),
    )


def _first_event(calendar: str) -> tuple[str, list[Line]]:
    """The calendar's method, and its first event: of a series the one that stands for it."""
    lines = Contentlines.from_ical(calendar)  # type: ignore[no-untyped-call] # of icalendar
    if len(lines) > MOST_LINES:
        raise ValueError("too many lines")
    method, components = "", 0
    events: list[list[Line]] = []
    within: list[str] = []
    for line in lines:
        if not line:
            continue
        try:
            name, parameters, raw = line.raw_parts()
            text = line.parts()[2]
        except ValueError:
            continue  # one broken line: the others stand
        name = name.upper()
        if name == "BEGIN":
            within.append(raw.upper())
            components += 1
            if components > MOST_COMPONENTS:
                raise ValueError("too many components")
            if within == ["VCALENDAR", "VEVENT"]:
                events.append([])
        elif name == "END":
            del within[-1:]
        elif within == ["VCALENDAR"] and name == "METHOD":
            method = raw
        elif within == ["VCALENDAR", "VEVENT"]:
            events[-1].append(Line(name, parameters, raw, text))
    whole = [one for one in events if all(line.name != "RECURRENCE-ID" for line in one)]
    return method, (whole or events)[0]


def _raw(found: dict[str, Line], name: str) -> str:
    return found[name].raw.strip() if name in found else ""


def _text(found: dict[str, Line], name: str) -> str:
    return clean.name(found[name].text)[:LONGEST_LINE] if name in found else ""


def _moment(line: Line | None) -> Moment | None:
    matched = _MOMENT.fullmatch(line.raw.strip()) if line else None
    if line is None or matched is None:
        return None
    day, time, utc = matched.groups()
    if not "1900" < day[:4] < "2200":
        return None  # beyond the calendar that other zones and sums of days can be had of
    if not time:
        return checked(Moment(day))
    return checked(Moment(f"{day}T{time}", UTC_NAME if utc else _zone(line.parameters)))


def _zone(parameters: Parameters) -> str:
    """The IANA's name of what Windows, or a calendar with a prefix of its own, calls a zone."""
    named = clean.name(str(parameters.get("TZID", ""))).replace('"', "'")[:200]
    ended = _ZONE.search(named)
    return WINDOWS_TO_OLSON.get(named) or (ended[0] if ended else named)


def _after(start: Moment | None, lasting: str) -> Moment | None:
    if start is None or not lasting:
        return None
    delta: timedelta = vDuration.from_ical(lasting)  # type: ignore[no-untyped-call] # of icalendar
    if not timedelta(0) < delta < timedelta(days=1_000):
        return None
    if start.is_day:
        return Moment(f"{start.day + delta:%Y%m%d}")
    ended = start.local + delta
    return Moment(f"{ended:%Y%m%dT%H%M%S}", start.zone)


def _person(line: Line) -> Address | None:
    scheme, colon, rest = line.raw.strip().partition(":")
    if not colon or scheme.lower() != "mailto":
        return None
    try:
        address = EmailAddress.parse(rest).text
    except BadAddress:
        return None
    return Address(clean.name(str(line.parameters.get("CN", "")))[:LONGEST_LINE], address)


def _attendees(lines: list[Line]) -> Iterator[Attendee]:
    for line in lines:
        person = _person(line)
        said = str(line.parameters.get("PARTSTAT", "")).upper()
        if person is not None:
            known = said if said in PARTSTATS else PARTSTATS[0]
            yield Attendee(person.name, person.address, known)


def _answer(octets: memoryview, _: int) -> Answer:
    return write(invitation_in(bytes(octets))), b""


def _warm() -> None:
    """Read an invitation, so that whatever is imported late is there before files are closed."""
    invitation_of(
        "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261124T090000Z\r\n"
        "DURATION:PT1H\r\nORGANIZER:mailto:a@b\u00e9.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        "REQUEST",
    )


def main() -> None:
    """`python -m archive_store.mime.calendars SECONDS MEMORY`"""
    logging.disable()  # a warning would quote the calendar
    seconds, memory = map(int, sys.argv[1:3])
    connection = socket.socket(fileno=0)
    _warm()
    give_up(memory)
    connection.sendall(READY)
    serve(connection, seconds, {INVITATION: _answer})


if __name__ == "__main__":
    main()
