"""CHUNKING (RFC 3030): each BDAT has its reply, and no octet of a chunk is taken for a command."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smtp_ingest.patience import Patience
from smtp_ingest.session import Phase
from smtp_ingest.trust import TrustedHosts
from tests.smtp_ingest.doubles import (
    BODY,
    CONFIG,
    ENVELOPE,
    HELLO,
    HERE,
    Conversation,
    RecordingDoor,
    codes,
)
from tests.smtp_ingest.running import RawClient, running

TWO = b"MAIL FROM:<>\r\nRCPT TO:<a@acme.example>\r\nRCPT TO:<b@acme.example>\r\n"
SMALL = replace(CONFIG, max_size=1000, max_octets_in_flight=1500)


def bdat(octets: bytes, *, last: bool = False) -> bytes:
    return b"BDAT %d%s\r\n" % (len(octets), b" LAST" * last) + octets


@pytest.fixture
def talk() -> Conversation:
    return Conversation().greet()


def test_one_chunk_is_a_mail(talk: Conversation) -> None:
    output = talk.send(ENVELOPE + bdat(BODY, last=True))
    assert codes(output) == ["250 2.1.0", "250 2.1.5", "250 2.0.0"]
    assert talk.door.mails[0].octets == BODY


def test_chunks_are_put_together_and_dots_are_no_end(talk: Conversation) -> None:
    parts = [b"Subject: x\r", b"\n\r\n", b"..\r\n.\r\nMAIL FROM:<x@y.example>\r\n", b"no end"]
    output = talk.send(ENVELOPE + b"".join(bdat(part) for part in parts) + b"bdat 0 last\r\n")
    assert codes(output) == ["250 2.1.0", "250 2.1.5", *["250 2.0.0"] * 5]
    assert [mail.octets for mail in talk.door.mails] == [b"".join(parts)]
    assert not talk.door.mails[0].bare_newlines


def test_mails_by_bdat_and_by_data_follow_each_other(talk: Conversation) -> None:
    talk.send((ENVELOPE + bdat(BODY, last=True) + ENVELOPE + b"DATA\r\n" + BODY + b".\r\n") * 2)
    assert [mail.octets for mail in talk.door.mails] == [BODY] * 4


def test_an_empty_mail_may_be_sent(talk: Conversation) -> None:
    assert codes(talk.send(ENVELOPE + b"BDAT 0 LAST\r\n"))[-1] == "250 2.0.0"
    assert talk.door.mails[0].octets == b""


@pytest.mark.parametrize(
    "before",
    [b"", b"MAIL FROM:<>\r\n", b"MAIL FROM:<>\r\nRCPT TO:<nobody@acme.example>\r\n"],
)
def test_a_chunk_out_of_order_is_read_and_refused(before: bytes) -> None:
    talk = Conversation(RecordingDoor(refused=["nobody@acme.example"])).greet()
    output = talk.send(
        before + bdat(b"NOOP\r\n" * 100) + bdat(b"NOOP\r\n", last=True) + b"RSET\r\n"
    )
    assert codes(output)[-3:] == ["503 5.5.1", "503 5.5.1", "250 2.0.0"]
    assert not talk.door.mails


@pytest.mark.parametrize(
    "argument", [b"", b"LAST", b"-1", b"1x", b"1 LAST LAST", b"1 FIRST", b"0x10", b"9" * 21]
)
def test_a_size_that_cannot_be_read_ends_the_session(talk: Conversation, argument: bytes) -> None:
    output = talk.send(ENVELOPE + b"BDAT " + argument + b"\r\nMAIL FROM:<x@y.example>\r\n")
    assert codes(output)[-1] == "521 5.5.4"  # who knows what of the rest is a command?
    assert talk.closed
    assert not talk.door.mails


@pytest.mark.parametrize("verb", [b"MAIL FROM:<>", b"RCPT TO:<vlad@acme.example>", b"DATA"])
def test_between_chunks_the_envelope_is_closed(talk: Conversation, verb: bytes) -> None:
    output = talk.send(ENVELOPE + bdat(b"a") + verb + b"\r\nNOOP\r\n" + bdat(b"b\r\n", last=True))
    assert codes(output)[-4:] == ["250 2.0.0", "503 5.5.1", "250 2.0.0", "250 2.0.0"]
    assert talk.door.mails[0].octets == b"ab\r\n"


def test_rset_forgets_the_chunks(talk: Conversation) -> None:
    talk.send(ENVELOPE + bdat(b"old\r\n") + b"RSET\r\n" + ENVELOPE + bdat(b"new\r\n", last=True))
    assert [mail.octets for mail in talk.door.mails] == [b"new\r\n"]
    assert talk.budget.taken == 0


@pytest.mark.parametrize(
    ("first", "second", "refusal"),
    [
        (b"x" * 600, b"y" * 600, "552 5.3.4"),
        (b"x" * 2000, b"", "552 5.3.4"),
        (b"a\nb", b"c", "550 5.5.2"),
        (b"a\r", b"b\r\n", "550 5.5.2"),
        (b"a\r\n", b"b\r", "550 5.5.2"),
        (b"a\0\r\n", b"b\r\n", "550 5.5.2"),
    ],
)
def test_a_mail_that_cannot_be_taken_is_refused_to_its_end(
    first: bytes, second: bytes, refusal: str
) -> None:
    talk = Conversation(config=SMALL).greet()
    output = talk.send(ENVELOPE + bdat(first) + bdat(second) + bdat(b"", last=True) + b"NOOP\r\n")
    told = codes(output)[2:]
    assert len(told) == 4
    assert told[2:] == [refusal, "250 2.0.0"]
    assert set(told[:2]) <= {refusal, "250 2.0.0"}
    assert not talk.door.mails
    assert talk.budget.taken == 0
    assert codes(talk.send(ENVELOPE + bdat(b"x\r\n", last=True)))[-1] == "250 2.0.0"


def test_a_chunk_that_is_too_large_is_refused_without_keeping_any_of_it() -> None:
    talk = Conversation(config=SMALL).greet()
    talk.send(ENVELOPE + bdat(b"x" * 900))
    assert talk.budget.taken == 900
    talk.send(b"BDAT 101\r\n")
    assert talk.budget.taken == 0


def test_without_room_the_sender_keeps_the_mail() -> None:
    talk = Conversation(config=SMALL).greet()
    assert talk.budget.take(600)
    assert codes(talk.send(ENVELOPE + bdat(b"x" * 998 + b"\r\n", last=True)))[-1] == "452 4.3.1"


def test_a_loop_is_found_in_chunks_too(talk: Conversation) -> None:
    mail = b"Received: x\r\n" * 101 + b"\r\n"
    assert codes(talk.send(ENVELOPE + bdat(mail, last=True)))[-1] == "554 5.4.6"


def test_a_trusted_feed_may_send_bare_newlines() -> None:
    talk = Conversation(config=replace(CONFIG, trusted=TrustedHosts(feeds=HERE))).greet()
    talk.send(ENVELOPE + bdat(b"a\nb\r") + bdat(b"c\r", last=True))
    (mail,) = talk.door.mails
    assert mail.octets == b"a\nb\rc\r"
    assert mail.bare_newlines


def test_lmtp_answers_for_each_recipient_after_the_last_chunk_only() -> None:
    talk = Conversation(config=SMALL, lmtp=True).greet()
    output = talk.send(TWO + bdat(b"a\r\n") + bdat(b"b\r\n", last=True))
    assert codes(output)[3:] == ["250 2.0.0", "250 2.0.0", "250 2.0.0"]
    output = talk.send(TWO + bdat(b"a\n\n") + bdat(b"b\r\n", last=True))
    assert codes(output)[3:] == ["550 5.5.2", "550 5.5.2", "550 5.5.2"]
    assert codes(talk.send(bdat(b"b\r\n", last=True))) == ["503 5.5.1"]
    assert len(talk.door.mails) == 1


def test_binarymime_is_neither_offered_nor_taken(talk: Conversation) -> None:
    assert b"BINARYMIME" not in talk.send(HELLO)
    assert codes(talk.send(b"MAIL FROM:<> BODY=BINARYMIME\r\n")) == ["501 5.5.4"]


def test_empty_chunks_bring_no_mail_nearer(talk: Conversation) -> None:
    assert codes(talk.send(ENVELOPE + b"BDAT 0\r\n" * 101))[-1] == "421 4.7.0"
    assert talk.closed


def test_small_chunks_last_no_longer_than_one_data(talk: Conversation) -> None:
    config = replace(CONFIG, data_timeout=timedelta(seconds=60), data_min_rate=1)
    patience = Patience(config, 0.0)
    talk.send(ENVELOPE)
    assert patience.deadline(talk.session, 1.0) == 301.0
    talk.send(bdat(b"a") + b"NOOP\r\n")
    assert talk.session.phase is Phase.DATA
    assert patience.deadline(talk.session, 2.0) == 2.0 + 60 + 1
    for second in range(3, 50):
        talk.send(bdat(b"b") + b"NOOP\r\n")
        assert patience.deadline(talk.session, float(second)) == 2.0 + 60 + second - 1


def test_a_mail_in_chunks_is_finished_when_the_server_stops(talk: Conversation) -> None:
    talk.send(ENVELOPE + bdat(b"a"))
    assert talk.session.shut_down() is None
    assert codes(talk.send(bdat(b"b\r\n", last=True) + ENVELOPE)) == ["250 2.0.0", "421 4.3.2"]
    assert talk.door.mails[0].octets == b"ab\r\n"


def test_a_client_that_leaves_in_a_chunk_leaves_nothing(talk: Conversation) -> None:
    talk.send(ENVELOPE + b"BDAT 10\r\nabc")
    talk.session.abandon()
    assert talk.budget.taken == 0
    assert not talk.door.mails


def test_a_large_mail_comes_in_chunks_over_a_socket() -> None:
    door = RecordingDoor()
    mail = (b"x" * 70 + b"\r\n") * 100_000
    chunks = [mail[at : at + 100_001] for at in range(0, len(mail), 100_001)]
    with running(door) as server, RawClient(server.smtp) as client:
        client.greet()
        client.send(ENVELOPE + b"".join(bdat(chunk) for chunk in chunks) + b"BDAT 0 LAST\r\n")
        told = [client.reply()[:3] for _ in range(2 + len(chunks) + 1)]
        assert client.ask(b"QUIT\r\n").startswith("221 ")
    assert set(told) == {"250"}
    assert door.mails[0].octets == mail
