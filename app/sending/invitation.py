"""The answer to an invitation as a calendar (iTIP METHOD:REPLY, RFC 5546 section 3.2.3). Pure.

It says of one attendee whether they come, and repeats what names the event: its id, its revision,
and which one of a series. A time in a zone that is known here goes with that zone's rules; in one
that only the organiser knows, as the organiser wrote it.
"""

from datetime import datetime, timedelta
from typing import Final

from icalendar import Calendar, Event, vCalAddress

from app.invitation_views import Participation
from app.views import Outgoing
from archive_store.mime.invitation import Invitation, Moment

REPLY_TYPE: Final = "text/calendar; method=REPLY"
ANSWERS: Final[dict[Participation, str]] = {
    "accepted": "ACCEPTED",
    "tentative": "TENTATIVE",
    "declined": "DECLINED",
}
_ENDING: Final = ".ics"
_AROUND: Final = timedelta(days=400)  # of an event: the rules of its zone that go along
_PRODUCT: Final = "-//LiveArchive//Web client//EN"


def reply(
    event: Invitation, attendee: tuple[str, str], answer: Participation, now: datetime
) -> bytes:
    """The calendar that tells the organiser. `attendee`: name and address of who answers."""
    if event.organizer is None:
        raise ValueError("nobody to answer")
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "REPLY")
    answered = Event()
    answered.add("uid", event.uid)
    answered.add("sequence", event.sequence)
    answered.add("dtstamp", now)
    answered["organizer"] = _person(event.organizer.name, event.organizer.address)
    who = _person(*attendee)
    who.params["PARTSTAT"] = ANSWERS[answer]
    answered["attendee"] = who
    if event.summary:
        answered.add("summary", event.summary)
    times = (("dtstart", event.start), ("dtend", event.end), ("recurrence-id", event.recurrence))
    for name, moment in times:
        if moment is not None:
            _add_time(answered, name, moment)
    calendar.add_component(answered)
    if event.start is not None:
        first = event.start.day - _AROUND
        calendar.add_missing_timezones(first, event.start.day + _AROUND)
    octets: bytes = calendar.to_ical()
    return octets


def answer_file(answer: Participation, octets: bytes) -> tuple[str, str, bytes]:
    """A reply as a file of a letter; `compose` puts it where calendars look for it."""
    return answer + _ENDING, REPLY_TYPE, octets


def answer_in(form: Outgoing) -> str:
    """What a letter answers to an invitation; empty: it is none."""
    for name, content_type, _ in form.attachments:
        answer = name.removesuffix(_ENDING)
        if content_type == REPLY_TYPE and answer in ANSWERS:
            return answer
    return ""


def _person(name: str, address: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    if name:
        # A quote cannot stand in a parameter (RFC 5545 section 3.1).
        person.params["CN"] = name.replace('"', "'")
    return person


def _add_time(answered: Event, name: str, moment: Moment) -> None:
    if moment.is_day:
        answered.add(name, moment.day, parameters={"VALUE": "DATE"})
        return
    zone = moment.known_zone
    if zone is not None:
        answered.add(name, moment.local.replace(tzinfo=zone))
        return
    answered.add(name, moment.local, parameters={"TZID": moment.zone} if moment.zone else {})
