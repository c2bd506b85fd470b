"""Mail in by real clients, kept octet for octet, handed on with one Received line."""

import smtplib
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import select

from archive_store import ids
from archive_store.models import Entry, Message
from archive_store.reader import frame_ref
from archive_store.segments.frame import ENTRY_SLOT, ERASED, QUEUE_SLOT, MessageFrame
from tests.parts.network import wait_until
from tests.scenarios.conftest import Town
from tests.scenarios.service import mail

ODD = (
    b"Subject: odd\r\nX-Long: "
    + b"x" * 3000
    + b"\r\n\r\n.dot\r\n..two\r\n"
    + b"\xff\xfe eight bit\r\n"
    + b"y" * 5000
    + b"\r\n"
)


def test_curl_delivers_what_export_gives_back_and_the_primary_gets(
    town: Town, curl: str, tmp_path: Path
) -> None:
    to = town.service.newcomer()
    file = tmp_path / "any.eml"
    file.write_bytes(mail("By curl", ".a line with a dot\r\n"))
    url = f"smtp://127.0.0.1:{town.service.ports.smtp}"
    words = ["--mail-from", "a@b.example", "--mail-rcpt", to, "-T", str(file)]
    subprocess.run([curl, "-sS", "--url", url, *words], check=True, timeout=60)
    out = tmp_path / "out"
    town.service.must("messages", "export", to, "--out", str(out))
    assert [one.read_bytes() for one in out.glob("*.eml")] == [file.read_bytes()]
    [relayed] = town.primary.wait_for(to)
    assert relayed.endswith(file.read_bytes())
    added = relayed.removesuffix(file.read_bytes())
    assert added.startswith(b"Received: from ")
    assert added.count(b"\r\n") == added.count(b"\r\n\t") + 1  # one header field, folded


def test_any_octets_are_kept_and_relayed_as_they_came(town: Town) -> None:
    to = town.service.newcomer()
    town.service.send(ODD, to)
    assert list(town.service.export(to).values()) == [ODD]
    assert town.primary.wait_for(to)[0].endswith(ODD)


def test_lmtp_answers_for_each_recipient(town: Town) -> None:
    one, two = town.service.newcomer(), town.service.newcomer()
    with smtplib.LMTP("127.0.0.1", town.service.ports.lmtp, timeout=60) as client:
        client.ehlo("client.example")
        client.mail("a@b.example")
        assert client.rcpt(one)[0] == 250
        assert client.rcpt("x@elsewhere.example")[0] == 550
        assert client.rcpt(two)[0] == 250
        assert client.data(mail("By LMTP"))[0] == 250
        assert client.getreply()[0] == 250
    assert len(town.service.messages(one)) == 1
    assert len(town.service.messages(two)) == 1


def test_swaks_to_two_addresses_of_one_person_gives_one_entry(town: Town, swaks: str) -> None:
    one, two = town.service.newcomer(), town.service.newcomer()
    alias = f"sales-{one}"
    town.service.add_identity(one, f"Sales <{alias}>")
    server = ["--server", "127.0.0.1", "--port", str(town.service.ports.smtp)]
    to = f"{one},{two},{alias}"
    words = ["--from", "a@b.example", "--to", to, "--header", "Subject: by swaks"]
    subprocess.run([swaks, *server, *words], check=True, capture_output=True, timeout=60)
    [entry] = town.service.messages(one)
    assert (entry.subject, entry.envelope_to) == ("by swaks", one)
    assert len(town.service.messages(two)) == 1
    # The primary is told of each recipient: what it does with aliases is its affair.
    for address in (one, two, alias):
        assert len(town.primary.wait_for(address)) == 1


def test_mail_to_an_identity_lands_in_the_mailbox_and_says_so(town: Town) -> None:
    one = town.service.newcomer()
    alias = f"Sales-{one}".replace("acme", "ACME")
    town.service.add_identity(one, f"Sales <{alias}>")
    town.service.send(mail("For sales"), alias.replace("Sales", "sales"))
    [entry] = town.service.messages(one)
    assert entry.envelope_to == alias.replace("Sales", "sales")


def test_who_is_not_ours_is_refused(town: Town) -> None:
    with pytest.raises(smtplib.SMTPResponseException) as stranger:
        town.service.send(mail(), "x@elsewhere.example")
    assert (stranger.value.smtp_code, b"5.7.1" in stranger.value.smtp_error) == (550, True)


def test_an_unknown_person_is_handed_on_or_refused_as_the_domain_says(town: Town) -> None:
    town.service.add_domain("strict.example", town.service.primary_address)
    town.service.send(mail("handed on"), "nobody@strict.example")
    assert len(town.primary.wait_for("nobody@strict.example")) == 1
    town.service.set_domain("strict.example", **{"unknown-recipients": "reject"})

    def refused() -> bool:
        try:
            town.service.send(mail(), "nobody@strict.example")
        except smtplib.SMTPResponseException as error:
            return (error.smtp_code, b"5.1.1" in error.smtp_error) == (550, True)
        return False

    wait_until(refused, "the changed setting is heeded")


def test_in_copy_mode_unknown_people_are_refused_and_nothing_is_relayed(town: Town) -> None:
    town.service.add_domain("copy.example", "none")
    to = town.service.newcomer("copy.example")
    town.service.send(mail("copied"), to)
    assert [one.subject for one in town.service.messages(to)] == ["copied"]
    assert town.service.waiting("copy.example") == 0
    with pytest.raises(smtplib.SMTPResponseException) as unknown:
        town.service.send(mail(), "nobody@copy.example")
    assert (unknown.value.smtp_code, b"5.1.1" in unknown.value.smtp_error) == (550, True)


def test_a_person_for_whom_it_is_off_is_handed_on_and_not_kept(town: Town) -> None:
    to = town.service.newcomer()
    town.service.must("user", "set", to, "live=no")
    town.service.send(mail("not kept"), to)
    assert len(town.primary.wait_for(to)) == 1
    assert town.service.messages(to) == []


def test_an_announced_size_beyond_the_limit_is_refused_before_any_octet(town: Town) -> None:
    with smtplib.SMTP("127.0.0.1", town.service.ports.smtp, timeout=60) as client:
        client.ehlo("client.example")
        code, text = client.docmd("MAIL FROM:<a@b.example> SIZE=99999999999")
        assert (code, b"5.3.4" in text) == (552, True)


def test_a_message_that_no_parser_understands_is_stored_listed_and_whole(town: Town) -> None:
    to = town.service.newcomer()
    broken = b"Content-Type: multipart/mixed; boundary=\r\n\x80\x81: \xff\r\n\r\n--\r\n--\r\n"
    town.service.send(broken, to)
    [one] = town.service.messages(to)
    assert one.size == len(broken)
    assert list(town.service.export(to).values()) == [broken]


def test_the_mail_log_tells_what_became_of_a_mail(town: Town) -> None:
    to = town.service.newcomer()
    town.service.send(mail("=?utf-8?q?Gr=C3=BC=C3=9Fe?="), to)
    town.primary.wait_for(to)

    def events() -> list[str]:
        done = town.service.must("maillog", "search", "--to", to.upper(), "--json")
        [found] = done.lines
        assert found["subject"] == "Grüße"
        return [one["event"] for one in found["events"]]

    wait_until(lambda: events() == ["received", "handed-on"], "both steps are in the log")
    nothing = town.service.must("maillog", "search", "--to", to, "--subject", "other", "--json")
    assert nothing.lines == []


def test_the_mailbags_key_of_a_delivered_mail_is_erased_from_the_segment(town: Town) -> None:
    to = town.service.newcomer()
    town.service.send(mail("Handed on"), to)
    town.primary.wait_for(to)
    [listed] = town.service.messages(to)

    def slots() -> dict[bytes, bool]:
        with town.service.parts() as (parts, _), parts.db.read() as tx:
            entry = tx.scalars(select(Entry).where(Entry.id == ids.read(listed.id))).one()
            message = tx.get_one(Message, entry.message_id)
            frame = MessageFrame.decode(parts.segments.read_with_wraps(frame_ref(message)))
        return {slot.kind: slot.wrap == ERASED for slot in frame.slots}

    wait_until(lambda: slots() == {ENTRY_SLOT: False, QUEUE_SLOT: True}, "its slot is zeros")
    assert len(town.service.export(to)) == 1  # the mailbox opens it as before
