"""Invitations: iCalendar objects (RFC 5545) for iTIP requests (RFC 5546), in Berlin's time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

FOLD_AT = 75  # octets of a line, RFC 5545 section 3.1

BERLIN = """\
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE"""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A meeting. `starts` and `ends` are Berlin's wall clock, without a zone."""

    uid: str
    summary: str
    description: str
    location: str
    starts: datetime
    ends: datetime
    stamp: datetime
    organizer: tuple[str, str]  # name, address
    attendees: tuple[tuple[str, str], ...]
    sequence: int = 0
    method: str = "REQUEST"


def invitation_ics(invitation: Invitation) -> bytes:
    """The object as octets, UTF-8, lines folded and ended as the RFC wants."""
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//LiveArchive//demo//EN",
        "VERSION:2.0",
        "CALSCALE:GREGORIAN",
        f"METHOD:{invitation.method}",
        *BERLIN.split("\n"),
        "BEGIN:VEVENT",
        f"UID:{invitation.uid}",
        f"DTSTAMP:{invitation.stamp.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;TZID=Europe/Berlin:{invitation.starts:%Y%m%dT%H%M%S}",
        f"DTEND;TZID=Europe/Berlin:{invitation.ends:%Y%m%dT%H%M%S}",
        f"SUMMARY:{_text(invitation.summary)}",
        f"DESCRIPTION:{_text(invitation.description)}",
        f"LOCATION:{_text(invitation.location)}",
        f"SEQUENCE:{invitation.sequence}",
        "STATUS:CONFIRMED",
        'ORGANIZER;CN="{}":mailto:{}'.format(*invitation.organizer),
        *(
            f'ATTENDEE;CN="{name}";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE'
            f":mailto:{address}"
            for name, address in invitation.attendees
        ),
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_text(invitation.summary)}",
        "TRIGGER:-PT15M",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return b"".join(_folded(line) for line in lines)


def berlin(moment: datetime) -> datetime:
    """The same moment with Berlin's offset, by the EU's rule; no time zone files are needed."""
    start, end = (_last_sunday(moment.astimezone(UTC).year, month) for month in (3, 10))
    hours = 2 if start <= moment < end else 1
    return moment.astimezone(timezone(timedelta(hours=hours)))


def _last_sunday(year: int, month: int) -> datetime:
    """When the clocks change: 01:00 UTC on the last Sunday of a month of 31 days."""
    last = date(year, month, 31)
    sunday = last - timedelta(days=(last.weekday() + 1) % 7)
    return datetime(sunday.year, sunday.month, sunday.day, 1, tzinfo=UTC)


def _text(value: str) -> str:
    """TEXT as section 3.3.11 escapes it."""
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        value = value.replace(plain, escaped)
    return value


def _folded(line: str) -> bytes:
    octets = line.encode()
    pieces = []
    while len(octets) > FOLD_AT:
        cut = FOLD_AT
        while octets[cut] & 0xC0 == 0x80:  # not inside a character
            cut -= 1
        pieces.append(octets[:cut])
        octets = b" " + octets[cut:]
    return b"\r\n".join((*pieces, octets)) + b"\r\n"
