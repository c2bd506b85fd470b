"""LMTP (RFC 2033): its own greeting, and one reply per recipient after the data."""

from dataclasses import replace

import pytest

from smtp_ingest import replies
from smtp_ingest.replies import Reply
from smtp_ingest.requests import AskMail
from tests.smtp_ingest.doubles import CONFIG, Conversation, RecordingDoor, codes

TWO = b"MAIL FROM:<>\r\nRCPT TO:<a@acme.example>\r\nRCPT TO:<b@acme.example>\r\nDATA\r\n"
FULL = Reply(452, "4.2.2", "Mailbox full")


@pytest.fixture
def talk() -> Conversation:
    return Conversation(lmtp=True).greet()


def test_lhlo_offers_what_rfc_2033_asks_for() -> None:
    output = Conversation(lmtp=True).send(b"LHLO client.example\r\n")
    assert b"250-PIPELINING\r\n" in output
    assert b"250-ENHANCEDSTATUSCODES\r\n" in output


@pytest.mark.parametrize("command", [b"EHLO x\r\n", b"HELO x\r\n"])
def test_smtp_greetings_are_refused(command: bytes) -> None:
    talk = Conversation(lmtp=True)
    assert codes(talk.send(command + b"MAIL FROM:<>\r\n")) == ["500 5.5.1", "503 5.5.1"]


def test_each_recipient_gets_the_reply_of_its_own(talk: Conversation) -> None:
    talk.door.judge = lambda _mail: [replies.ACCEPTED, FULL]
    assert codes(talk.send(TWO + b"x\r\n.\r\n"))[-2:] == ["250 2.0.0", "452 4.2.2"]
    (mail,) = talk.door.mails
    assert [recipient.text for recipient in mail.recipients] == ["a@acme.example", "b@acme.example"]
    assert mail.protocol == "LMTP"


def test_refused_recipients_get_no_reply_after_the_data() -> None:
    talk = Conversation(RecordingDoor(refused=["a@acme.example"]), lmtp=True).greet()
    output = codes(talk.send(TWO + b"x\r\n.\r\n"))
    assert output == ["250 2.1.0", "550 5.1.1", "250 2.1.5", "354 End", "250 2.0.0"]


def test_without_a_recipient_data_is_out_of_order(talk: Conversation) -> None:
    talk.door.refused = {"a@acme.example", "b@acme.example"}
    assert codes(talk.send(TWO))[-1] == "503 5.5.1"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"x" * 1001 + b"\r\n.\r\n", "552 5.3.4"),
        (b"a\nb\r\n.\r\n", "550 5.5.2"),
        (b"Received: x\r\n" * 2 + b"\r\n.\r\n", "554 5.4.6"),
    ],
)
def test_a_refusal_of_the_data_is_told_to_each_recipient(data: bytes, expected: str) -> None:
    config = replace(CONFIG, max_size=1000, max_octets_in_flight=1000, max_received_lines=1)
    talk = Conversation(config=config, lmtp=True).greet()
    talk.send(TWO)
    assert codes(talk.send(data)) == [expected, expected]


def test_the_door_owes_a_reply_for_each_recipient(talk: Conversation) -> None:
    talk.send(TWO)
    request = talk.session.feed(b".\r\n")
    assert isinstance(request, AskMail)
    assert request.replies_due == 2
