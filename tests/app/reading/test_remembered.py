"""What is known of mailboxes in memory goes when it must, and only then."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.reading.remembered import Remembered
from app.reading.shelf import IDLE

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
A, B, C = b"a", b"b", b"c"


@dataclass
class Known:
    used_at: datetime
    numbers: tuple[int, ...] = ()
    oldest: datetime = NOW

    def __len__(self) -> int:
        return len(self.numbers)

    def __contains__(self, number: int) -> bool:
        return number in self.numbers

    def is_over(self, after: datetime) -> bool:
        return self.oldest <= after


def filled(most: int = 100) -> Remembered[Known]:
    """Three sessions, used one after the other, each of which knows two messages."""
    remembered = Remembered(Known, most)
    for at, session in enumerate((A, B, C)):
        known = remembered.use(session, NOW + timedelta(minutes=at))
        known.numbers = (2 * at, 2 * at + 1)
    return remembered


def kept(remembered: Remembered[Known]) -> list[bytes]:
    """The sessions of which something is known; asking ends this test's use of them."""
    later = NOW + timedelta(minutes=3)
    return [session for session in (A, B, C) if len(remembered.use(session, later))]


def test_what_a_session_knows_is_found_again() -> None:
    assert kept(filled()) == [A, B, C]


def test_it_goes_with_the_session() -> None:
    remembered = filled()
    remembered.forget(B)
    remembered.forget(b"unknown")
    assert kept(remembered) == [A, C]


def test_it_goes_with_a_message_that_is_deleted() -> None:
    remembered = filled()
    remembered.drop([3, 77])
    assert kept(remembered) == [A, C]


def test_it_goes_after_half_an_hour_without_use() -> None:
    remembered = filled()
    remembered.prune(NOW + IDLE, NOW - timedelta(days=7))
    assert kept(remembered) == [B, C]


def test_it_goes_with_a_message_past_its_days() -> None:
    remembered = filled()
    remembered.use(C, NOW).oldest = NOW - timedelta(days=7)
    remembered.prune(NOW, NOW - timedelta(days=7))
    assert kept(remembered) == [A, B]


def test_what_was_not_used_for_longest_makes_room() -> None:
    remembered = filled(most=3)
    remembered.use(A, NOW + timedelta(minutes=3))
    remembered.make_room()
    assert kept(remembered) == [A]
