"""Invitations are read as the great calendars write them, and no calendar does harm."""

import pytest

from archive_store.mime import calendars
from archive_store.mime.calendars import invitation_in, invitation_of
from archive_store.mime.invitation import Invitation, Invitations, Moment, read, write
from tests.corpus.invitations import APPLE, GOOGLE, OUTLOOK, mail


def found(calendar: str) -> Invitation:
    invitation = invitation_of(calendar, "REQUEST")
    assert invitation is not None
    assert read(write(invitation)) == invitation
    return invitation


def test_outlooks_is_read_with_its_names_of_zones_and_its_folded_lines() -> None:
    event = found(OUTLOOK)
    assert event.uid.startswith("040000008200E0")
    assert event.uid.endswith("DEADBEEF")
    assert (event.sequence, event.location) == (2, "Raum 4")
    assert event.summary == "Planung, erstes Quartal"
    assert event.start == Moment("20261202T090000", "Europe/Berlin")
    assert [one.name for one in event.attendees] == ["Mazek, Vlad", "Lee Kung"]
    assert event.rule == "FREQ=WEEKLY;COUNT=6;INTERVAL=1;BYDAY=WE;WKST=MO"


def test_googles_and_apples_are_read() -> None:
    google, apple = found(GOOGLE), found(APPLE)
    assert google.start == Moment("20261201T140000", "UTC")
    assert [one.partstat for one in google.attendees] == ["ACCEPTED", "NEEDS-ACTION"]
    assert apple.start == Moment("20261203")
    assert apple.end == Moment("20261205")
    assert [one.address for one in apple.attendees] == ["vlad@acme.example"]


def test_a_child_reads_the_mail_that_brings_one_with_all_that_is_imported_late() -> None:
    invitations = Invitations()
    try:
        for calendar in (OUTLOOK, GOOGLE, APPLE):
            assert invitations.invitation(mail(calendar)) == found(calendar)
        assert invitations.invitation(b"Subject: none\r\n\r\nNothing.") is None
    finally:
        invitations.close()


def test_the_method_of_the_part_and_of_the_calendar_agree_or_there_is_none() -> None:
    assert invitation_in(mail(GOOGLE, "CANCEL")) is None
    assert invitation_in(mail(GOOGLE, "PUBLISH")) is None


def test_a_duration_stands_for_an_end() -> None:
    event = found(GOOGLE.replace("DTEND:20261201T150000Z", "DURATION:PT90M"))
    assert event.end == Moment("20261201T153000", "UTC")


def test_of_a_series_with_exceptions_the_series_is_shown() -> None:
    one = "BEGIN:VEVENT\nUID:x\nRECURRENCE-ID:20261209T080000Z\nSUMMARY:Other\nEND:VEVENT\n"
    event = found(OUTLOOK.replace("BEGIN:VEVENT\n", one + "BEGIN:VEVENT\n", 1))
    assert event.recurrence is None
    assert event.summary.startswith("Planung")


@pytest.mark.parametrize(
    "hostile",
    [
        "hanna@in.example",
        "mailto:hanna@in.example?bcc=x@evil.example",
        "mailto:hanna@in.example,x@evil.example",
        "mailto:hanna@in.example\\nBcc: x@evil.example",
        "https://in.example/hanna",
        "mailto:",
    ],
)
def test_an_address_that_does_not_parse_strictly_is_none(hostile: str) -> None:
    event = found(GOOGLE.replace(":mailto:hanna@in.example\nUID", f":{hostile}\nUID"))
    assert event.organizer is None


def test_text_hides_and_turns_nothing() -> None:
    event = found(GOOGLE.replace("SUMMARY:The offer", "SUMMARY:The\u202e\u200boffer\\nBcc: x\x07"))
    assert event.summary == "Theoffer Bcc: x"


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "BEGIN:VCALENDAR",
        "END:VEVENT\nEND:VCALENDAR",
        "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR",
        GOOGLE.replace("UID:", "UID:a\\n"),
        GOOGLE.replace("UID:", "UID:" + "a" * calendars.LONGEST_UID),
        GOOGLE.replace("DTSTART:20261201T140000Z", "DTSTART:20261301T140000Z"),
        "BEGIN:VCALENDAR\nMETHOD:REQUEST\n" + "BEGIN:VEVENT\n" * (calendars.MOST_COMPONENTS + 1),
        GOOGLE + "X:1\n" * calendars.MOST_LINES,
        GOOGLE.replace("DTEND:20261201T150000Z", "DURATION:P" + "9" * 30 + "W"),
    ],
)
def test_what_is_broken_or_too_large_is_no_invitation(hostile: str) -> None:
    assert invitation_of(hostile, "REQUEST") is None


def test_what_is_out_of_bounds_is_left_out() -> None:
    far = found(GOOGLE.replace("DTSTART:2026", "DTSTART:9999"))
    assert far.start is None
    many = "ATTENDEE:mailto:a@b.example\n" * 1_000
    assert len(found(GOOGLE.replace("SEQUENCE:0\n", many)).attendees) == calendars.MOST_ATTENDEES
    large = GOOGLE.replace("SEQUENCE:0\n", f"X:{'x' * calendars.MOST_OCTETS}\n")
    assert invitation_in(mail(large)) is None
