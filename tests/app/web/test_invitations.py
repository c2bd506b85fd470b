"""The card of an invitation: what it says, in whose time, and what its buttons do."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.invitation_views import Invited
from app.languages.speech import speech_of
from app.views import BadDraft
from app.web.dates import Clock
from app.web.invited import NOT_SIMPLE, how_often, invited_when
from archive_store.mime.calendars import invitation_of
from archive_store.mime.invitation import Invitation, Moment
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World
from tests.corpus.invitations import APPLE, GOOGLE, OUTLOOK

MESSAGE = f"/mail/inbox/{sample.entry_id(2)}"
NEW_YORK = Clock(datetime(2026, 11, 24, 9, tzinfo=UTC), ZoneInfo("America/New_York"))


def event_in(calendar: str) -> Invitation:
    event = invitation_of(calendar, "REQUEST")
    assert event is not None
    return event


def bring(world: World, calendar: str, **changed: object) -> None:
    place = world.reading.place_of(sample.entry_id(2))
    fields: dict[str, object] = {"event": event_in(calendar), "own": "vlad@acme.example"}
    invited = Invited(**(fields | changed))  # type: ignore[arg-type]  # by name
    world.reading.letters[place] = replace(world.reading.letters[place], invitation=invited)


def test_the_card_says_what_when_where_and_who_and_whom_the_answer_goes_to(
    world: World, vlad: Client
) -> None:
    assert 'class="event"' not in vlad.get(MESSAGE).text
    bring(world, OUTLOOK)
    page = vlad.get(MESSAGE).text
    for words in ("Planung, erstes Quartal", "Raum 4", "Lee Kung", "Every week. 6 times in all."):
        assert words in page
    assert "Your answer goes to hanna@in.example, from vlad@acme.example." in page
    assert "not from the organiser" not in page


def test_a_button_answers_and_the_card_says_so(world: World, vlad: Client) -> None:
    bring(world, GOOGLE)
    done = vlad.post(f"{MESSAGE}/invitation", {"answer": "tentative"})
    assert (done.status_code, done.headers["location"]) == (303, MESSAGE)
    assert world.invitations.answers == [(sample.entry_id(2), "tentative")]
    page = vlad.get(MESSAGE).text
    assert "Sent as vlad@acme.example" in page
    assert "You said maybe." in page


def test_what_cannot_be_sent_is_told_and_nothing_is_answered(world: World, vlad: Client) -> None:
    bring(world, GOOGLE)
    world.invitations.refuses = BadDraft("message", "Not just now.")
    vlad.post(f"{MESSAGE}/invitation", {"answer": "accepted"})
    page = vlad.get(MESSAGE).text
    assert "Not just now." in page
    assert "You accepted." not in page


def test_without_its_token_or_with_another_word_nothing_is_answered(
    world: World, vlad: Client
) -> None:
    bring(world, GOOGLE)
    assert vlad.raw_post(f"{MESSAGE}/invitation").status_code == 403
    assert vlad.post(f"{MESSAGE}/invitation", {"answer": "maybe"}).status_code == 400
    assert (
        vlad.post(
            f"/mail/inbox/{sample.entry_id(99)}/invitation", {"answer": "accepted"}
        ).status_code
        == 404
    )
    assert world.invitations.answers == []


def test_who_is_not_invited_gets_no_buttons_and_a_stranger_is_told_of(
    world: World, vlad: Client
) -> None:
    bring(world, GOOGLE, own="", stranger=True)
    page = vlad.get(MESSAGE).text
    assert f"{MESSAGE}/invitation" not in page
    assert "This mail is not from the organiser it names." in page


def test_times_are_the_readers_and_whole_days_are_nobodys() -> None:
    assert invited_when(event_in(OUTLOOK), NEW_YORK) == (
        "Wednesday 2 December 2026, 03:00\u201304:00 EST"
    )
    german = replace(NEW_YORK, zone=ZoneInfo("Europe/Berlin"), speech=speech_of("de"))
    assert invited_when(event_in(GOOGLE), german).endswith("15:00\u201316:00 CET")
    assert invited_when(event_in(APPLE), NEW_YORK) == (
        "Thursday 3 December 2026 to Friday 4 December 2026, all day"
    )
    one = APPLE.replace("DTEND;VALUE=DATE:20261205\n", "")
    assert invited_when(event_in(one), NEW_YORK) == "Thursday 3 December 2026, all day"


def test_in_a_zone_that_nobody_knows_the_time_stands_as_it_was_written() -> None:
    event = event_in(OUTLOOK.replace("W. Europe Standard Time", "Moon"))
    assert invited_when(event, NEW_YORK) == (
        "Wednesday 2 December 2026, 09:00\u201310:00, in the organiser's zone (Moon)"
    )


@pytest.mark.parametrize("zones", [("Moon", "UTC"), ("UTC", "Moon"), ("", "UTC"), ("UTC", "")])
def test_an_end_in_a_zone_that_does_not_go_with_the_beginnings_is_left_out(
    zones: tuple[str, str],
) -> None:
    start, end = (Moment("20261202T090000", zone) for zone in zones)
    said = invited_when(replace(event_in(OUTLOOK), start=start, end=end), NEW_YORK)
    assert said.startswith("Wednesday 2 December 2026, 0")
    assert "\u2013" not in said


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "Every day."),
        ("FREQ=WEEKLY;BYDAY=WE", "Every week."),
        ("FREQ=MONTHLY;BYMONTHDAY=2", "Every month."),
        ("FREQ=YEARLY;COUNT=3", "Every year. 3 times in all."),
        (
            "FREQ=WEEKLY;UNTIL=20261231T000000Z",
            "Every week. The last is by Thursday 31 December 2026.",
        ),
        ("FREQ=WEEKLY;BYDAY=MO,WE", NOT_SIMPLE),
        ("FREQ=DAILY;BYDAY=WE", NOT_SIMPLE),
        ("FREQ=MONTHLY;BYDAY=1WE", NOT_SIMPLE),
        ("FREQ=WEEKLY;INTERVAL=2", NOT_SIMPLE),
        ("FREQ=SECONDLY", NOT_SIMPLE),
        ("FREQ=DAILY;COUNT=999999999999", NOT_SIMPLE),
        ("FREQ=DAILY;UNTIL=20269999", NOT_SIMPLE),
        ("nonsense;;=", NOT_SIMPLE),
        ("", ""),
    ],
)
def test_a_simple_rule_is_said_in_words_and_no_other(rule: str, words: str) -> None:
    assert how_often(replace(event_in(OUTLOOK), rule=rule), NEW_YORK) == words
