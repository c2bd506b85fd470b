"""Journal reports: the mail to the octet, everybody it went to, and a doubt where there is one."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from smtp_ingest import journal_report
from smtp_ingest.journal_report import Doubt, JournalReport, NotRead, read_report
from tests.corpus import reports
from tests.corpus.reports import ORIGINAL, attached, envelope, report, whole

QUIET = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
HEAD = ("Sender: ann@remote.example", "Subject: x", "Message-Id: <1@remote.example>")


def recipients(found: JournalReport) -> list[str]:
    return [address.text for address in found.recipients]


def doubt_of(octets: bytes) -> Doubt:
    with pytest.raises(NotRead) as caught:
        read_report(octets)
    return caught.value.doubt


def test_a_report_gives_sender_recipients_and_the_mail_alone() -> None:
    found = read_report(report())
    assert found == JournalReport("ann@remote.example", found.recipients, ORIGINAL)
    assert recipients(found) == ["vlad@acme.example", "maria@acme.example", "audit@acme.example"]


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "binary", "base64", "quoted-printable"])
@pytest.mark.parametrize(
    "message",
    [ORIGINAL, ORIGINAL.rstrip(b"\r\n"), ORIGINAL + b"\r\n\r\n", ORIGINAL + b"\xff\x00\n= \t\r\n"],
)
def test_the_mail_is_the_same_to_the_octet_in_any_encoding(message: bytes, encoding: str) -> None:
    assert read_report(report(message, encoding=encoding)).message == message


@pytest.mark.parametrize("encoding", ["", "base64", "quoted-printable"])
def test_the_envelope_may_be_encoded_too(encoding: str) -> None:
    found = read_report(whole(envelope(encoding=encoding), attached(ORIGINAL)))
    assert len(found.recipients) == 3


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("To: user@contoso.example", "user@contoso.example"),
        ("Cc: user@contoso.example", "user@contoso.example"),
        ("BCC: user@contoso.example", "user@contoso.example"),
        ("Recipient: <user@contoso.example>", "user@contoso.example"),
        ("To: member@contoso.example, Expanded: dl@contoso.example", "member@contoso.example"),
        ("Cc: fwd@contoso.example, Forwarded: user@contoso.example", "fwd@contoso.example"),
        ("Recipient:user@contoso.example,Expanded:dl@contoso.example", "user@contoso.example"),
        ('To: "Doe, Jane" <jane@contoso.example>', "jane@contoso.example"),
        ("To: Žofie@contoso.example", "Žofie@contoso.example"),
    ],
)
def test_each_documented_form_of_a_recipient(line: str, address: str) -> None:
    assert recipients(read_report(report(lines=(*HEAD, line)))) == [address]


def test_other_lines_are_nobody() -> None:
    more = (
        "On-Behalf-Of: boss@acme.example",
        "Label: private",
        "SentUtc: 11/24/2026 8:00:00 AM",
        "To: vlad@acme.example",
        "To: VLAD@ACME.example",
        "",
    )
    assert recipients(read_report(report(lines=(*HEAD, *more)))) == ["vlad@acme.example"]


def test_the_form_of_2003() -> None:
    found = read_report(reports.of_2003())
    assert (found.sender, found.message) == ("ann@remote.example", ORIGINAL)
    assert recipients(found) == ["vlad@acme.example", "maria@acme.example"]


@pytest.mark.parametrize("written", ["Sender: <>", "Sender:", "Sender: /o=Acme/cn=ann"])
def test_a_sender_that_is_no_address_is_the_null_sender(written: str) -> None:
    found = read_report(report(lines=(written, *HEAD[1:], "To: vlad@acme.example")))
    assert found.sender == ""


@pytest.mark.parametrize("protected_first", [True, False])
def test_of_a_protected_mail_people_read_the_copy_in_clear(protected_first: bool) -> None:
    pair = [attached(reports.PROTECTED), attached(ORIGINAL)]
    found = read_report(whole(envelope(), *(pair if protected_first else pair[::-1])))
    assert (found.message, found.protected, found.doubt) == (ORIGINAL, True, None)


def test_a_protected_mail_alone_is_the_mail() -> None:
    found = read_report(report(reports.PROTECTED))
    assert (found.message, found.protected) == (reports.PROTECTED, False)


def test_two_mails_without_a_protected_one_leave_a_doubt() -> None:
    found = read_report(whole(envelope(), attached(ORIGINAL), attached(b"Subject: other\r\n\r\n")))
    assert (found.message, found.doubt) == (ORIGINAL, Doubt.SEVERAL_MESSAGES)


def test_a_recipient_that_is_no_address_leaves_a_doubt_and_the_others() -> None:
    found = read_report(report(lines=(*HEAD, "To: /o=Acme/cn=vlad", "To: maria@acme.example")))
    assert (recipients(found), found.doubt) == (["maria@acme.example"], Doubt.BAD_RECIPIENT)


def test_of_too_many_recipients_the_first_get_the_mail_and_a_person_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(journal_report, "MOST_RECIPIENTS", 2)
    twice = (*HEAD, "To: a@acme.example", "To: b@acme.example", "Cc: A@acme.example")
    assert read_report(report(lines=twice)).doubt is None
    found = read_report(report(lines=(*twice, "Bcc: c@acme.example")))
    assert (recipients(found), found.doubt) == (
        ["a@acme.example", "b@acme.example"],
        Doubt.TOO_MANY_RECIPIENTS,
    )


def test_a_line_end_in_the_subject_names_no_recipients() -> None:
    forged = ("Sender: ann@remote.example", "Subject: x", "Bcc: maria@acme.example", HEAD[2])
    found = read_report(report(lines=(*forged, "To: vlad@acme.example")))
    assert (recipients(found), found.doubt) == (["vlad@acme.example"], Doubt.BAD_RECIPIENT)


@pytest.mark.parametrize(
    ("octets", "doubt"),
    [
        (b"", Doubt.NO_REPORT),
        (ORIGINAL, Doubt.NO_REPORT),
        (whole(attached(ORIGINAL)), Doubt.NO_REPORT),
        (whole(envelope(("Dear all,", "To: vlad@acme.example")), attached(b"")), Doubt.NO_REPORT),
        (whole(envelope()), Doubt.NO_MESSAGE),
        (report(lines=HEAD), Doubt.NO_RECIPIENTS),
        (report(lines=(*HEAD, "To: nobody")), Doubt.BAD_RECIPIENT),
        (whole(envelope(), attached(ORIGINAL), end=False), Doubt.CUT_OFF),
        (report()[:-40], Doubt.CUT_OFF),
        (whole(envelope(), attached(ORIGINAL, "x-zip")), Doubt.BAD_ENCODING),
        (report(encoding="base64").replace(b"UmVj", b"Um?j", 1), Doubt.BAD_ENCODING),
        (whole(*[envelope()] * 200), Doubt.TOO_LARGE),
    ],
)
def test_what_is_no_whole_report_is_not_read(octets: bytes, doubt: Doubt) -> None:
    assert doubt_of(octets) is doubt


@given(st.binary(max_size=300), st.integers(0, 2000), st.integers(0, 2000))
@example(b"", 0, 0)
@QUIET
def test_no_damage_makes_it_raise_anything_else(junk: bytes, at: int, skip: int) -> None:
    octets = report()
    with suppress(NotRead):
        read_report(octets[:at] + junk + octets[at + skip :])


@given(st.binary(max_size=400))
@QUIET
def test_any_mail_comes_out_as_it_went_in(content: bytes) -> None:
    message = b"Subject: x\r\n\r\n" + content
    assert read_report(report(message, encoding="base64")).message == message
    if b"--_77b1-report" not in content:
        assert read_report(report(message)).message == message
