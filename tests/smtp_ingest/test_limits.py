"""How many may come, how much they may hold, and how long they may take."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from smtp_ingest import replies
from smtp_ingest.admission import Admission
from smtp_ingest.budget import SMALL, OctetBudget
from smtp_ingest.patience import LINGER, Patience
from tests.smtp_ingest.doubles import BODY, CONFIG, ENVELOPE, Conversation

SLOW = replace(
    CONFIG,
    command_timeout=timedelta(seconds=300),
    data_timeout=timedelta(seconds=600),
    data_min_rate=1000,
    max_size=50_000,
)


def test_no_more_sessions_than_are_allowed() -> None:
    admission = Admission(replace(CONFIG, max_sessions=2))
    assert admission.enter("192.0.2.1") is None
    assert admission.enter("192.0.2.2") is None
    assert admission.enter("192.0.2.3") is replies.TOO_MANY_SESSIONS
    admission.leave("192.0.2.1")
    assert admission.enter("192.0.2.3") is None


@pytest.mark.parametrize(
    ("peers", "other"),
    [
        (["192.0.2.1", "192.0.2.1"], "192.0.2.2"),
        (["2001:db8::1", "2001:db8::ffff:2"], "2001:db8:0:1::1"),
        (["fe80::1%eth0", "fe80::2%eth0"], "2001:db8::1"),
        (["", ""], "127.0.0.1"),
    ],
)
def test_no_more_sessions_from_one_peer_than_are_allowed(peers: list[str], other: str) -> None:
    admission = Admission(replace(CONFIG, max_sessions_per_peer=2))
    assert [admission.enter(peer) for peer in peers] == [None, None]
    assert admission.enter(peers[0]) is replies.TOO_MANY_FROM_PEER
    assert admission.enter(other) is None
    admission.leave(peers[1])
    assert admission.enter(peers[0]) is None


def test_peers_that_left_are_forgotten() -> None:
    admission = Admission(CONFIG)
    for number in range(100):
        admission.enter(f"192.0.2.{number}")
        admission.leave(f"192.0.2.{number}")
    assert not admission._by_peer


def test_a_budget_gives_what_it_has_and_no_more() -> None:
    budget = OctetBudget(10)
    assert budget.take(6)
    assert not budget.take(5)
    assert budget.taken == 6
    assert budget.fits(4)
    budget.give(6)
    assert budget.take(10)


def test_large_mails_leave_a_part_of_the_budget_to_small_ones() -> None:
    budget = OctetBudget(1_000_000, kept=200_000)
    assert budget.take(800_000, size=800_000)
    assert not budget.take(1, size=SMALL + 1)
    assert budget.take(SMALL, size=SMALL)
    assert not budget.fits(1, size=800_001)


@pytest.fixture
def talk() -> Conversation:
    return Conversation(config=SLOW)


def test_a_silent_client_has_its_time(talk: Conversation) -> None:
    patience = Patience(SLOW, now=1000)
    assert patience.deadline(talk.session, 1000) == 1300
    assert patience.deadline(talk.session, 1299) == 1300


def test_a_command_gives_it_anew_and_an_octet_does_not(talk: Conversation) -> None:
    patience = Patience(SLOW, now=1000)
    talk.send(b"NO")
    assert patience.deadline(talk.session, 1100) == 1300
    talk.send(b"OP\r\n")
    assert patience.deadline(talk.session, 1200) == 1500
    talk.send(b"EHL")
    assert patience.deadline(talk.session, 1400) == 1500


def test_data_has_more_time_as_long_as_it_flows(talk: Conversation) -> None:
    patience = Patience(SLOW, now=0)
    talk.greet().send(ENVELOPE + b"DATA\r\n")
    assert patience.deadline(talk.session, 100) == 700
    talk.send(b"x" * 10_000)
    assert patience.deadline(talk.session, 200) == 710
    talk.send(b"x" * 10_000_000)  # beyond the limit it buys nothing more
    assert patience.deadline(talk.session, 300) == 750


def test_the_time_of_one_mail_is_not_the_time_of_the_next(talk: Conversation) -> None:
    patience = Patience(SLOW, now=0)
    talk.greet().deliver(BODY)
    patience.deadline(talk.session, 100)
    talk.send(b".\r\n")
    assert patience.deadline(talk.session, 500) == 800


def test_nobody_is_blamed_for_our_own_slowness(talk: Conversation) -> None:
    patience = Patience(SLOW, now=0)
    talk.greet().deliver(BODY)
    talk.session.feed(b".\r\n")
    assert patience.deadline(talk.session, 10_000) == math.inf


def test_the_last_words_have_a_moment(talk: Conversation) -> None:
    patience = Patience(SLOW, now=0)
    patience.deadline(talk.session, 0)
    talk.session.hang_up(replies.TIMED_OUT)
    assert patience.deadline(talk.session, 300) == 300 + LINGER
