"""The octets of a report."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message

from app.delivery.dsn import DeliveryReport, ReportedRecipient
from app.delivery.outcome import Deferred, Delivered, Failed
from archive_store.envelope import DsnWishes

NOW = datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC)
ORIGINAL = b"Subject: Plans\r\nX-Long: " + b"x" * 2000 + b"\r\n\r\nthe secret body\r\n"


def report(
    *recipients: ReportedRecipient, sender: str = "anna@out.example", original: bytes = ORIGINAL
) -> bytes:
    return DeliveryReport(
        hostname="live.example",
        sender=sender,
        recipients=recipients,
        original=original,
        queued_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
        now=NOW,
        token="abc123",
    ).to_octets()


BOB = ReportedRecipient(
    "bob@ours.example", Failed(550, "5.1.1 no such user", "mx.ours.example"), False
)
EVE = ReportedRecipient("eve@ours.example", Deferred(0, "4.4.1 no contact"), True)


def parts(octets: bytes) -> list[Message]:
    parsed = message_from_bytes(octets)
    assert parsed.get_content_type() == "multipart/report"
    assert parsed.get_param("report-type") == "delivery-status"
    assert parsed.defects == []
    payload = parsed.get_payload()
    assert isinstance(payload, list)
    return [part for part in payload if isinstance(part, Message)]


def test_a_report_has_words_a_status_and_the_header_but_not_the_body() -> None:
    octets = report(BOB, EVE)
    kinds = [part.get_content_type() for part in parts(octets)]
    assert kinds == ["text/plain", "message/delivery-status", "text/rfc822-headers"]
    assert b"secret body" not in octets
    assert octets.count(b"Subject: Plans\r\nX-Long: xxx") == 1


def test_the_header_says_who_reports_and_that_no_answer_is_wanted() -> None:
    parsed = message_from_bytes(report(BOB))
    assert parsed["To"] == "<anna@out.example>"
    assert parsed["From"].endswith("<MAILER-DAEMON@live.example>")
    assert parsed["Auto-Submitted"] == "auto-replied"
    assert parsed["Message-ID"] == "<abc123@live.example>"
    assert parsed["Date"] == "Tue, 24 Nov 2026 12:00:05 +0000"


def test_every_recipient_has_its_group() -> None:
    status = parts(report(BOB, EVE))[1].get_payload()
    assert isinstance(status, list)
    about, bob, eve = [part for part in status if isinstance(part, Message)]
    assert about["Reporting-MTA"] == "dns; live.example"
    assert about["Arrival-Date"] == "Tue, 24 Nov 2026 12:00:00 +0000"
    assert bob["Final-Recipient"] == "rfc822; bob@ours.example"
    assert (bob["Action"], bob["Status"]) == ("failed", "5.1.1")
    assert bob["Remote-MTA"] == "dns; mx.ours.example"
    assert bob["Diagnostic-Code"] == "smtp; 550 5.1.1 no such user"
    assert (eve["Action"], eve["Status"]) == ("failed", "5.4.7")
    assert eve["Diagnostic-Code"] is None  # no server said anything


def test_the_words_say_what_happened() -> None:
    words = parts(report(BOB, EVE))[0].get_payload()
    assert "<bob@ours.example>" in words
    assert "mx.ours.example said: 550 5.1.1 no such user" in words
    assert "It was tried for as long as it is kept" in words


def test_with_an_internationalized_address_the_types_are_those_of_rfc_6533() -> None:
    odd = ReportedRecipient("jürgen@ours.example", Failed(550, "5.1.1 nö", "mx"), False)
    octets = report(odd, original="Subject: Grüße\r\n\r\nx".encode())
    kinds = [part.get_content_type() for part in parts(octets)]
    assert kinds == ["text/plain", "message/global-delivery-status", "message/global-headers"]
    assert "Final-Recipient: utf-8; jürgen@ours.example\r\n".encode() in octets


def test_what_a_server_says_cannot_add_a_field_or_a_part() -> None:
    said = Failed(550, "5.1.1 no --=_abc123 X-Evil: 1 " + "é" * 40 + " word" * 60, "mx")
    octets = report(ReportedRecipient("bob@ours.example", said, False))
    assert len(parts(octets)) == 3
    assert all(line.isascii() for line in octets.split(b"\r\n") if b"Diagnostic" in line)
    status = octets.partition(b"Diagnostic-Code")[2].partition(b"Last-Attempt")[0]
    assert all(line.startswith(b" ") for line in status.split(b"\r\n")[1:-1])


def test_line_ends_are_regular_whatever_the_original_has() -> None:
    octets = report(BOB, original=b"Subject: a\nX: b\rY: c\n\nbody")
    assert b"\n" not in octets.replace(b"\r\n", b"")
    assert b"Subject: a\r\nX: b\r\nY: c\r\n" in octets


def test_without_the_original_the_report_still_stands() -> None:
    assert parts(report(BOB, original=b""))[2].get_payload() in ("", "\n", "\r\n")


def group_of(octets: bytes) -> Message:
    status = parts(octets)[1].get_payload()
    assert isinstance(status, list)
    group = status[1]
    assert isinstance(group, Message)
    return group


def test_a_mail_that_was_handed_on_to_a_server_without_reports_is_relayed() -> None:
    answer = Delivered(250, "2.0.0 queued", "mx.ours.example")
    wishes = DsnWishes(notify="SUCCESS", original="rfc822;Bob+2BX@ours.example", ret="FULL")
    octets = report(ReportedRecipient("bob@ours.example", answer, wishes=wishes))
    group = group_of(octets)
    assert (group["Action"], group["Status"]) == ("relayed", "2.0.0")
    assert group["Original-Recipient"] == "rfc822; Bob+X@ours.example"
    assert group["Final-Recipient"] == "rfc822; bob@ours.example"
    parsed = message_from_bytes(octets)
    assert parsed["Subject"] == "Your mail was handed on"
    assert "could not be delivered" not in parts(octets)[0].get_payload()
    assert b"secret body" not in octets  # RET is about failures (RFC 3461 section 4.3)


def test_a_mail_that_is_late_is_delayed_and_says_until_when_it_is_tried() -> None:
    until = datetime(2026, 12, 1, 12, tzinfo=UTC)
    wishes = DsnWishes(notify="DELAY", ret="FULL")
    late = ReportedRecipient("eve@ours.example", EVE.answer, wishes=wishes, retried_until=until)
    octets = report(late)
    group = group_of(octets)
    assert (group["Action"], group["Status"]) == ("delayed", "4.4.1")
    assert group["Will-Retry-Until"] == "Tue, 01 Dec 2026 12:00:00 +0000"
    assert message_from_bytes(octets)["Subject"] == "Your mail is late"
    words = parts(octets)[0].get_payload()
    assert "is tried further" in words
    assert "another way" not in words
    assert b"secret body" not in octets
    assert message_from_bytes(report(late, BOB))["Subject"].startswith("Undelivered")


def test_the_sender_finds_the_name_that_it_gave_the_envelope() -> None:
    wishes = DsnWishes(envelope_id="QQ+2B1", ret="HDRS")
    octets = report(ReportedRecipient("bob@ours.example", BOB.answer, wishes=wishes))
    status = parts(octets)[1].get_payload()
    assert isinstance(status, list)
    about = status[0]
    assert isinstance(about, Message)
    assert about["Original-Envelope-Id"] == "QQ+1"
    assert b"secret body" not in octets


def test_the_whole_mail_comes_back_when_that_was_asked_for_and_it_is_not_large() -> None:
    wishes = DsnWishes(ret="FULL")
    recipient = ReportedRecipient("bob@ours.example", BOB.answer, wishes=wishes)
    octets = report(recipient)
    assert parts(octets)[2].get_content_type() == "message/rfc822"
    assert b"\r\n\r\n" + ORIGINAL in octets
    large = report(recipient, original=ORIGINAL + b"x\r\n" * 400_000)
    assert parts(large)[2].get_content_type() == "text/rfc822-headers"


def test_an_original_recipient_beyond_ascii_makes_the_report_international() -> None:
    wishes = DsnWishes(original="utf-8;ж@ours.example")
    octets = report(ReportedRecipient("bob@ours.example", BOB.answer, wishes=wishes))
    assert "Original-Recipient: utf-8; ж@ours.example\r\n".encode() in octets
    assert b"message/global-delivery-status" in octets
