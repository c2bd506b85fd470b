"""The commands of a session: what is answered, in which order, and what it changes."""

from dataclasses import replace

import pytest

from smtp_ingest import replies
from smtp_ingest.budget import OctetBudget
from smtp_ingest.ports import SessionFacts, TlsFacts, Transmission
from smtp_ingest.session import Phase
from smtp_ingest.trust import TrustedHosts
from tests.smtp_ingest.doubles import (
    BODY,
    CONFIG,
    ENVELOPE,
    HELLO,
    HERE,
    NOT_HERE,
    Conversation,
    RecordingDoor,
    codes,
)


@pytest.fixture
def talk() -> Conversation:
    return Conversation().greet()


def test_the_greeting_names_the_host() -> None:
    assert Conversation().greeting == b"220 mx.acme.example ESMTP LiveArchive\r\n"
    assert Conversation(lmtp=True).greeting == b"220 mx.acme.example LMTP LiveArchive\r\n"


def test_ehlo_lists_what_is_offered() -> None:
    assert Conversation().send(HELLO) == (
        b"250-mx.acme.example\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n"
        b"250-SMTPUTF8\r\n250-CHUNKING\r\n250-DSN\r\n250-LIMITS RCPTMAX=1000\r\n"
        b"250-ENHANCEDSTATUSCODES\r\n250 HELP\r\n"
    )


def test_helo_is_answered_in_one_line_without_extensions() -> None:
    assert Conversation().send(b"HELO client.example\r\n") == b"250 mx.acme.example\r\n"


def test_a_mail_comes_through_exactly(talk: Conversation) -> None:
    output = talk.send(ENVELOPE + b"DATA\r\n")
    assert codes(output) == ["250 2.1.0", "250 2.1.5", "354 End"]
    assert codes(talk.send(BODY + b".\r\n")) == ["250 2.0.0"]
    (mail,) = talk.door.mails
    assert mail.octets == BODY
    assert mail.mail_from == "ann@client.example"
    assert [r.text for r in mail.recipients] == ["vlad@acme.example"]
    assert mail.session == SessionFacts("client.example", "192.0.2.7", 4711, Transmission.ESMTP)
    assert {mail.smtputf8, mail.body8bit, mail.bare_newlines} == {False}


def test_many_mails_in_one_session_do_not_mix(talk: Conversation) -> None:
    for number in range(5):
        body = b"%d\r\n" % number
        talk.send(b"MAIL FROM:<a%d@client.example>\r\n" % number)
        talk.send(b"RCPT TO:<b%d@acme.example>\r\n" % number)
        talk.send(b"DATA\r\n")
        assert codes(talk.send(body + b".\r\n")) == ["250 2.0.0"]
    assert [mail.octets for mail in talk.door.mails] == [b"%d\r\n" % n for n in range(5)]
    assert [m.mail_from for m in talk.door.mails] == [f"a{n}@client.example" for n in range(5)]
    assert all(len(mail.recipients) == 1 for mail in talk.door.mails)


def test_everything_may_come_in_one_packet() -> None:
    talk = Conversation()
    output = talk.send(HELLO + (ENVELOPE + b"DATA\r\n" + BODY + b".\r\n") * 3 + b"QUIT\r\n")
    assert codes(output)[-1] == "221 2.0.0"
    assert [mail.octets for mail in talk.door.mails] == [BODY] * 3
    assert talk.closed


def test_a_recipient_that_the_door_refuses_is_not_in_the_mail() -> None:
    talk = Conversation(RecordingDoor(refused=["nobody@acme.example"])).greet()
    output = talk.send(
        b"MAIL FROM:<>\r\nRCPT TO:<Nobody@acme.example>\r\nRCPT TO:<vlad@acme.example>\r\nDATA\r\n"
    )
    assert NOT_HERE.octets in output
    talk.send(b".\r\n")
    (mail,) = talk.door.mails
    assert [r.text for r in mail.recipients] == ["vlad@acme.example"]
    assert mail.mail_from == ""


def test_a_refusal_that_refuses_nothing_is_trouble_of_ours() -> None:
    talk = Conversation().greet()
    talk.send(b"MAIL FROM:<>\r\n")
    talk.session.feed(b"RCPT TO:<vlad@acme.example>\r\n")
    talk.session.recipient_judged(replies.OK)
    assert codes(talk.session.take_output()) == ["451 4.3.0"]


def test_the_door_says_what_the_client_hears(talk: Conversation) -> None:
    talk.door.judge = lambda _mail: [replies.Reply(452, "4.3.1", "Disk full")]
    assert talk.deliver(BODY + b".\r\n") == b"452 4.3.1 Disk full\r\n"


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (b"MAIL FROM:<a@x.example>\r\n", "503 5.5.1"),
        (b"RCPT TO:<a@x.example>\r\n", "503 5.5.1"),
        (b"DATA\r\n", "503 5.5.1"),
        (HELLO + b"RCPT TO:<a@x.example>\r\n", "503 5.5.1"),
        (HELLO + b"DATA\r\n", "503 5.5.1"),
        (HELLO + b"MAIL FROM:<a@x.example>\r\nDATA\r\n", "503 5.5.1"),
        (HELLO + b"MAIL FROM:<a@x.example>\r\nMAIL FROM:<b@x.example>\r\n", "503 5.5.1"),
        (HELLO + ENVELOPE + b"RSET\r\nDATA\r\n", "503 5.5.1"),
        (HELLO + ENVELOPE + HELLO + b"DATA\r\n", "503 5.5.1"),
        (HELLO + ENVELOPE + b"EHLO\r\nDATA\r\n", "354 End"),  # a refused command changes nothing
        (b"EHLO\r\n", "501 5.5.4"),
        (b"HELO  \r\n", "501 5.5.4"),
        (b"EHLO two words\r\n", "501 5.5.4"),
        ("EHLO jörg\r\n".encode(), "501 5.5.4"),
        (b"EHLO " + b"x" * 256 + b"\r\n", "501 5.5.4"),
        (b"LHLO client.example\r\n", "500 5.5.1"),
        (HELLO + ENVELOPE + b"DATA now\r\n", "501 5.5.4"),
        (b"RSET now\r\n", "501 5.5.4"),
        (b"QUIT now\r\n", "501 5.5.4"),
        (b"RSET\r\n", "250 2.0.0"),
        (b"NOOP\r\n", "250 2.0.0"),
        (b"NOOP anything at all\r\n", "250 2.0.0"),
        (b"noop  \r\n", "250 2.0.0"),
        (b"VRFY vlad\r\n", "252 2.5.0"),
        (b"VRFY\r\n", "501 5.5.4"),
        (b"EXPN staff\r\n", "502 5.5.1"),
        (b"HELP\r\n", "214 2.0.0"),
        (b"STARTTLS\r\n", "502 5.5.1"),
        (b"BDAT 0 LAST\r\n", "503 5.5.1"),
        (b"AUTH PLAIN AGEAYg==\r\n", "502 5.5.1"),
        (b"XYZZY\r\n", "500 5.5.2"),
        (b"\r\n", "500 5.5.2"),
        (b" NOOP\r\n", "500 5.5.2"),
        (b"NOOP\n", "500 5.5.2"),
        (b"NOOP\r\r\n", "500 5.5.2"),
        (b"NOOP\0\r\n", "500 5.5.2"),
        (b"NO\tOP\r\n", "500 5.5.2"),
        (b"NOOP \xff\r\n", "500 5.5.2"),
        (b"NOOP " + b"x" * 2041 + b"\r\n", "250 2.0.0"),
        (b"NOOP " + b"x" * 2042 + b"\r\n", "500 5.5.2"),
        (b"x" * 5_000_000 + b"\r\nNOOP\r\n", "250 2.0.0"),
    ],
)
def test_each_command_has_its_answer(commands: bytes, expected: str) -> None:
    assert codes(Conversation().send(commands))[-1] == expected


def test_a_line_that_is_too_long_is_one_error_however_long_it_is() -> None:
    talk = Conversation()
    for _ in range(100):
        assert talk.send(b"x" * 10_000) == b""
    assert codes(talk.send(b"\r\n")) == ["500 5.5.2"]


def test_a_bare_newline_does_not_smuggle_a_command(talk: Conversation) -> None:
    assert codes(talk.send(b"NOOP x\nMAIL FROM:<a@x.example>\r\n")) == ["500 5.5.2", "250 2.1.0"]
    assert codes(talk.send(b"NOOP x\rRCPT TO:<a@x.example>\r\n")) == ["500 5.5.2"]


def test_ehlo_forgets_the_transaction_and_keeps_the_new_name(talk: Conversation) -> None:
    talk.send(ENVELOPE + b"EHLO other.example\r\n")
    talk.deliver(b".\r\n")
    assert talk.door.mails[0].session.helo == "other.example"


def test_a_size_announced_beyond_the_limit_is_refused_at_once(talk: Conversation) -> None:
    limit = CONFIG.max_size
    assert codes(talk.send(b"MAIL FROM:<> SIZE=%d\r\n" % (limit + 1))) == ["552 5.3.4"]
    assert codes(talk.send(b"MAIL FROM:<> SIZE=%d\r\n" % limit)) == ["250 2.1.0"]


def test_a_size_that_was_not_announced_is_refused_at_the_end_of_the_data() -> None:
    talk = Conversation(config=replace(CONFIG, max_size=1000, max_octets_in_flight=1000)).greet()
    assert talk.deliver(b"x" * 998 + b"\r\n.\r\n") == replies.ACCEPTED.octets
    assert talk.deliver(b"x" * 999) == b""
    assert talk.budget.taken <= 1000
    assert talk.send(b"x" * 100_000) == b""
    assert talk.budget.taken == 0
    assert codes(talk.send(b"\r\n.\r\nNOOP\r\n")) == ["552 5.3.4", "250 2.0.0"]
    assert len(talk.door.mails) == 1


def test_stuffed_dots_do_not_count_towards_the_size() -> None:
    talk = Conversation(config=replace(CONFIG, max_size=40, max_octets_in_flight=40)).greet()
    assert talk.deliver(b"..\r\n" * 13 + b".\r\n") == replies.ACCEPTED.octets
    assert talk.door.mails[0].octets == b".\r\n" * 13


def test_mail_beyond_what_may_be_in_flight_is_put_off() -> None:
    budget = OctetBudget(1000)
    one, other = Conversation(budget=budget).greet(), Conversation(budget=budget).greet()
    one.deliver(b"x" * 600)
    assert codes(other.send(b"MAIL FROM:<> SIZE=500\r\n")) == ["452 4.3.1"]
    other.deliver(b"x" * 500)
    assert codes(other.send(b"\r\n.\r\n")) == ["452 4.3.1"]
    assert codes(one.send(b"\r\n.\r\n")) == ["250 2.0.0"]
    assert budget.taken == 0
    assert other.deliver(b"x" * 500 + b"\r\n.\r\n") == replies.ACCEPTED.octets


def test_a_large_mail_that_stalls_leaves_room_for_small_ones() -> None:
    budget = OctetBudget(300_000, kept=100_000)
    slow, large, small = (Conversation(budget=budget).greet() for _ in range(3))
    slow.deliver(b"x" * 199_000)
    assert codes(large.send(b"MAIL FROM:<> SIZE=100000\r\n")) == ["452 4.3.1"]
    large.deliver(b"x" * 100_000)
    assert codes(large.send(b"\r\n.\r\n")) == ["452 4.3.1"]
    assert small.deliver(b"x" * 60_000 + b"\r\n.\r\n") == replies.ACCEPTED.octets
    assert codes(slow.send(b"\r\n.\r\n")) == ["250 2.0.0"]
    assert budget.taken == 0


@pytest.mark.parametrize("gone", ["in the data", "at the door", "refused"])
def test_octets_in_flight_are_given_back_whatever_happens(gone: str) -> None:
    talk = Conversation().greet()
    talk.deliver(BODY)
    assert talk.budget.taken == len(BODY) - 2  # the last CR LF may begin the end of the data
    if gone == "in the data":
        talk.session.abandon()
    elif gone == "at the door":
        talk.session.feed(b".\r\n" + ENVELOPE)
        talk.session.abandon()
        assert talk.budget.taken == len(BODY)  # the door has them still
        talk.session.mail_accepted([replies.ACCEPTED])
    else:
        talk.session.feed(b".\r\n")
        talk.session.mail_accepted([replies.LOCAL_ERROR])
        assert codes(talk.session.take_output()) == ["451 4.3.0"]
    assert talk.budget.taken == 0


def test_a_client_that_left_gets_no_further_mail_accepted() -> None:
    talk = Conversation().greet()
    talk.deliver(BODY)
    talk.session.feed(b".\r\n" + ENVELOPE + b"DATA\r\n" + BODY + b".\r\n")
    talk.session.abandon()
    talk.session.mail_accepted([replies.ACCEPTED])
    assert talk.session.phase is Phase.CLOSED
    assert talk.session.feed(ENVELOPE) is None


def test_a_thousand_recipients_are_taken_and_no_more(talk: Conversation) -> None:
    talk.send(b"MAIL FROM:<>\r\n")
    for number in range(1000):
        assert codes(talk.send(b"RCPT TO:<u%d@acme.example>\r\n" % number)) == ["250 2.1.5"]
    assert codes(talk.send(b"RCPT TO:<more@acme.example>\r\n")) == ["452 4.5.3"]
    talk.send(b"DATA\r\n.\r\n")
    assert len(talk.door.mails[0].recipients) == 1000


def test_someone_who_guesses_recipients_is_sent_away() -> None:
    door = RecordingDoor(refused=["x@acme.example"])
    talk = Conversation(door, replace(CONFIG, max_recipients=10))
    assert b"250-LIMITS RCPTMAX=10\r\n" in talk.send(HELLO)
    talk.send(b"MAIL FROM:<>\r\n")
    output = talk.send(b"RCPT TO:<x@acme.example>\r\n" * 20)
    assert codes(output) == ["550 5.1.1"] * 10 + ["421 4.7.0"]
    assert talk.closed


def test_too_many_errors_end_the_session(talk: Conversation) -> None:
    assert codes(talk.send(b"XYZZY\r\n" * 30)) == ["500 5.5.2"] * 20 + ["421 4.7.0"]
    assert talk.closed
    assert talk.send(b"NOOP\r\n") == b""


def test_a_mail_makes_up_for_the_errors_before_it(talk: Conversation) -> None:
    for _ in range(5):
        talk.send(b"XYZZY\r\n" * 15)
        assert talk.deliver(b".\r\n") == replies.ACCEPTED.octets
    assert not talk.closed


def test_someone_who_only_says_noop_is_sent_away(talk: Conversation) -> None:
    output = codes(talk.send(b"NOOP\r\n" * 200))
    assert output[-1] == "421 4.7.0"
    assert output[:-1] == ["250 2.0.0"] * 99  # EHLO was the first of a hundred
    assert talk.closed


def test_a_browser_is_sent_away_before_it_can_do_anything() -> None:
    talk = Conversation()
    request = b"POST / HTTP/1.1\r\nHost: x\r\n\r\n" + HELLO + ENVELOPE + b"DATA\r\nx\r\n.\r\n"
    assert codes(talk.send(request)) == ["421 4.7.0"]
    assert talk.closed
    assert not talk.door.asked


def test_mail_in_a_loop_is_refused(talk: Conversation) -> None:
    line = b"Received: from a by b;\r\n\tMon, 1 Jan 2024 00:00:00 +0000\r\n"
    assert codes(talk.deliver(line * 100 + b"\r\n.\r\n")) == ["250 2.0.0"]
    assert codes(talk.deliver(line * 101 + b"\r\n.\r\n")) == ["554 5.4.6"]
    assert codes(talk.deliver(line.upper() * 101 + b"\r\n.\r\n")) == ["554 5.4.6"]
    assert codes(talk.deliver(b"\r\n" + line * 101 + b".\r\n")) == ["250 2.0.0"]  # in the text
    assert len(talk.door.mails) == 2


@pytest.mark.parametrize("bad", [b"a\nb", b"a\rb", b"a\0b", b"\n", b"\r\r\n", b"\n\r\n"])
def test_irregular_line_endings_are_refused_after_the_end_of_the_data(bad: bytes) -> None:
    talk = Conversation().greet()
    assert talk.deliver(BODY + bad) == b""
    assert talk.send(b"more\r\n") == b""
    assert codes(talk.send(b".\r\n")) == ["550 5.5.2"]
    assert not talk.door.mails
    assert talk.budget.taken == 0


@pytest.mark.parametrize("bad", [b"a\nb\r\n", b"a\rb\r\n", b"a\0b\r\n"])
def test_a_trusted_feed_may_send_them_and_they_are_kept(bad: bytes) -> None:
    config = replace(CONFIG, trusted=TrustedHosts(feeds=HERE))
    talk = Conversation(config=config).greet()
    assert talk.deliver(BODY + bad + b".\r\n") == replies.ACCEPTED.octets
    assert talk.door.mails[0].octets == BODY + bad
    assert talk.door.mails[0].bare_newlines
    talk.deliver(BODY + b".\r\n")
    assert not talk.door.mails[1].bare_newlines


def test_lines_of_any_length_are_taken(talk: Conversation) -> None:
    body = b"x" * 3_000_000 + b"\r\n" + "ü".encode() * 2000 + b"\r\n"
    assert talk.deliver(body + b".\r\n") == replies.ACCEPTED.octets
    assert talk.door.mails[0].octets == body


def test_parameters_of_mail_reach_the_door(talk: Conversation) -> None:
    talk.send("MAIL FROM:<jörg@bücher.example> BODY=8BITMIME SMTPUTF8 SIZE=10\r\n".encode())
    talk.send("RCPT TO:<Влад@acme.example>\r\nDATA\r\n.\r\n".encode())
    (mail,) = talk.door.mails
    assert mail.mail_from == "jörg@bücher.example"
    assert mail.recipients[0].text == "Влад@acme.example"
    assert mail.recipients[0].address.key == "влад@acme.example"
    assert mail.smtputf8
    assert mail.body8bit
    assert mail.protocol == "UTF8SMTP"


def test_what_the_sender_wants_to_hear_reaches_the_door(talk: Conversation) -> None:
    talk.send(b"MAIL FROM:<a@x.example> RET=HDRS ENVID=QQ1\r\n")
    talk.send(b"RCPT TO:<a@acme.example> NOTIFY=NEVER ORCPT=rfc822;b@acme.example\r\n")
    talk.send(b"RCPT TO:<c@acme.example>\r\nDATA\r\n.\r\n")
    (mail,) = talk.door.mails
    assert (mail.ret, mail.envid) == ("HDRS", "QQ1")
    assert [(r.notify, r.orcpt) for r in mail.recipients] == [
        ("NEVER", "rfc822;b@acme.example"),
        ("", ""),
    ]


def test_starttls_forgets_everything_and_is_not_offered_twice() -> None:
    talk = Conversation(offers_tls=True)
    assert b"250-STARTTLS\r\n" in talk.send(HELLO)
    talk.send(ENVELOPE)
    assert codes(talk.send(b"STARTTLS\r\n")) == ["220 2.0.0"]
    assert codes(talk.send(b"MAIL FROM:<>\r\n")) == ["503 5.5.1"]
    assert b"STARTTLS" not in talk.send(HELLO)
    assert codes(talk.send(b"STARTTLS\r\n")) == ["503 5.5.1"]
    talk.deliver(b".\r\n")
    assert talk.door.mails[0].session.tls == TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert talk.door.mails[0].protocol == "ESMTPS"


def test_what_follows_starttls_in_the_clear_is_never_executed() -> None:
    talk = Conversation(offers_tls=True).greet()
    request = talk.session.feed(b"STARTTLS\r\n" + HELLO + ENVELOPE)
    assert talk.session.feed(b"DATA\r\nx\r\n.\r\n") is None
    assert codes(talk.session.take_output()) == ["220 2.0.0"]
    assert request is not None
    assert talk.answer(request) is None
    assert talk.session.take_output() == b""
    assert not talk.door.asked


def test_an_idle_session_is_sent_away_when_the_server_stops(talk: Conversation) -> None:
    talk.send(ENVELOPE)
    assert talk.session.shut_down() is not None
    assert codes(talk.session.take_output()) == ["421 4.3.2"]
    assert talk.session.phase is Phase.CLOSED


def test_a_mail_in_hand_is_finished_when_the_server_stops(talk: Conversation) -> None:
    talk.deliver(BODY[:10])
    assert talk.session.shut_down() is None
    output = talk.send(BODY[10:] + b".\r\n" + ENVELOPE)
    assert codes(output) == ["250 2.0.0", "421 4.3.2"]
    assert talk.door.mails[0].octets == BODY
    assert talk.closed
