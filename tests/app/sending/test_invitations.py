"""An answer to an invitation reaches its organiser, and nobody else, in a form calendars read."""

from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from icalendar import Calendar

from app.invitation_views import Invited, Participation
from app.phrase import Phrase
from app.sending.invitations import InvitationDesk
from archive_store.envelope import Envelope
from archive_store.errors import NotFound
from tests.app.conftest import CALENDARS, World
from tests.app.sending.outbox import envelopes, inbox, read
from tests.app.sending.test_outbox import HOLD, folders, outbox, post
from tests.corpus.invitations import APPLE, GOOGLE, OUTLOOK, mail


def say(text: str) -> str:
    return text.reading(f"[{text}]") if isinstance(text, Phrase) else text


def came(world: World, calendar: str, **changed: str) -> str:
    world.receive(mail(calendar, **changed), "vlad@acme.example")
    return inbox(world, "vlad")[0]


def desk(world: World, hold: timedelta = timedelta(0)) -> InvitationDesk:
    return InvitationDesk(world.reading.opener, CALENDARS, world.sends(hold), world.clock)


def sent(world: World) -> list[tuple[str, Envelope, bytes]]:
    """What waits for somebody else than the one who got the invitation."""
    return [one for to, one in envelopes(world).items() if to != "vlad@acme.example"]


def card(world: World, entry: str) -> Invited:
    invitation = world.reading.open_message(world.viewer(), entry).invitation
    assert invitation is not None
    return invitation


def reply_in(message: EmailMessage) -> tuple[Any, Any]:
    [part] = [one for one in message.walk() if one.get_content_type() == "text/calendar"]
    assert part.get_param("method") == "REPLY"
    assert part.get_param("charset") == "utf-8"
    assert message.get_content_type() == "multipart/alternative"
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)
    calendar: Any = Calendar.from_ical(octets)
    assert calendar["method"] == "REPLY"
    [event] = calendar.walk("VEVENT")
    return event, calendar


@pytest.mark.parametrize(
    ("calendar", "answer", "partstat", "own"),
    [
        (OUTLOOK, "accepted", "ACCEPTED", "vlad@acme.example"),
        (GOOGLE, "tentative", "TENTATIVE", "sales@acme.example"),
        (APPLE, "declined", "DECLINED", "vlad@acme.example"),
    ],
)
def test_the_answer_goes_to_the_organiser_as_the_identity_that_was_invited(
    world: World, calendar: str, answer: Participation, partstat: str, own: str
) -> None:
    entry = came(world, calendar)
    assert card(world, entry).own == own
    desk(world).answer(world.viewer(), entry, answer, say)
    [(_, envelope, octets)] = sent(world)
    assert (envelope.mail_from, envelope.rcpt_to) == (own, "hanna@in.example")
    message = read(octets)
    assert message["In-Reply-To"] == "<invitation@in.example>"
    assert message["Subject"].startswith("[")
    event, _ = reply_in(message)
    asked: Any = Calendar.from_ical(calendar).walk("VEVENT")[0]
    for name in ("UID", "SEQUENCE"):
        assert event[name] == asked[name]
    assert event["ATTENDEE"] == f"mailto:{own}"
    assert event["ATTENDEE"].params["PARTSTAT"] == partstat
    assert event["ORGANIZER"] == "mailto:hanna@in.example"
    assert event["DTSTART"].dt == asked["DTSTART"].dt or calendar is OUTLOOK
    assert event["DTSTAMP"].dt == world.clock().replace(microsecond=0)
    assert card(world, entry).participation == answer
    assert folders(world)["sent"] == 1


def test_one_of_a_series_is_answered_by_its_own_time_with_the_rules_of_its_zone(
    world: World,
) -> None:
    one = "BEGIN:VEVENT\nRECURRENCE-ID;TZID=W. Europe Standard Time:20261209T090000\n"
    entry = came(world, OUTLOOK.replace("BEGIN:VEVENT\n", one))
    desk(world).answer(world.viewer(), entry, "accepted", say)
    [(_, _, octets)] = sent(world)
    event, calendar = reply_in(read(octets))
    assert event["RECURRENCE-ID"].dt.isoformat() == "2026-12-09T09:00:00+01:00"
    [zone] = calendar.walk("VTIMEZONE")
    assert zone["TZID"] == "Europe/Berlin"


def test_names_that_a_calendar_cannot_hold_break_no_answer(world: World) -> None:
    hostile = OUTLOOK.replace("W. Europe Standard Time", '"Mo^\'on;^n:"')
    entry = came(world, hostile.replace("CN=Hanna Berg", "CN=\"Hanna ^'Boss^' Berg\""))
    desk(world).answer(world.viewer(), entry, "accepted", say)
    [(_, _, octets)] = sent(world)
    event, _ = reply_in(read(octets))
    assert event["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"


def test_it_can_be_taken_back_and_is_a_draft_then(world: World) -> None:
    entry = came(world, OUTLOOK)
    receipt = desk(world, HOLD).answer(world.viewer(), entry, "accepted", say)
    assert outbox(world).take_back(world.viewer(), receipt.entry_id)
    assert folders(world) == {"inbox": 1, "drafts": 1}
    assert card(world, entry).participation == ""


def test_with_a_hold_it_counts_as_answered_once_it_is_sent(world: World) -> None:
    entry = came(world, OUTLOOK)
    desk(world, HOLD).answer(world.viewer(), entry, "declined", say)
    assert card(world, entry).participation == ""
    world.clock.moment += HOLD
    assert post(world) is None
    [copy] = world.reading.list_folder(world.viewer(), "sent", page=1, filter="all").rows
    event, _ = reply_in(read(world.reading.original(world.viewer(), copy.id)))
    assert event["ATTENDEE"].params["PARTSTAT"] == "DECLINED"
    assert card(world, entry).participation == "declined"


@pytest.mark.parametrize(
    "calendar",
    [
        OUTLOOK.replace("Vlad@acme.example", "maria@acme.example"),
        OUTLOOK.replace("hanna@in.example", "sales@acme.example"),
        OUTLOOK.replace("mailto:hanna@in.example", "https://in.example"),
        OUTLOOK.replace("METHOD:REQUEST", "METHOD:CANCEL"),
    ],
)
def test_what_is_not_asked_of_the_reader_cannot_be_answered(world: World, calendar: str) -> None:
    method = "CANCEL" if "CANCEL" in calendar else "REQUEST"
    entry = came(world, calendar, method=method)
    assert card(world, entry).own == ""
    with pytest.raises(NotFound):
        desk(world).answer(world.viewer(), entry, "accepted", say)
    assert sent(world) == []


def test_a_mail_without_one_and_somebody_elses_cannot_be_answered(world: World) -> None:
    entry = came(world, OUTLOOK)
    with pytest.raises(NotFound):
        desk(world).answer(world.viewer("maria"), entry, "accepted", say)
    assert sent(world) == []


def test_a_mail_that_is_not_from_its_organiser_says_so(world: World) -> None:
    assert card(world, came(world, OUTLOOK, sender="x@evil.example")).stranger
    assert not card(world, came(world, OUTLOOK, sender="Hanna <Hanna@in.example>")).stranger
