"""When to renew: the authority's word, a third of the life, and patience after failures."""

from datetime import UTC, datetime, timedelta

import pytest

from app.certificates.kept import Held
from app.certificates.schedule import AT_ONCE, due_at, next_attempt

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("a.example",)
DAY = timedelta(days=1)


def held(days: int = 90, serial: int = 0, *, stand_in: bool = False) -> Held:
    ends = BEGINS + timedelta(days=days)
    return Held(frozenset(NAMES), "CA", serial, BEGINS, ends, stand_in)


def test_what_is_missing_or_not_ours_is_due_at_once() -> None:
    assert due_at(None, NAMES, None) == AT_ONCE
    assert due_at(held(stand_in=True), NAMES, None) == AT_ONCE
    assert due_at(held(), ("b.example",), BEGINS + 50 * DAY) == AT_ONCE


@pytest.mark.parametrize("days", [6, 45, 90])
def test_a_third_is_left_or_a_little_more(days: int) -> None:
    assert due_at(held(days), NAMES, None) == BEGINS + timedelta(days=days) * 2 / 3
    sooner = due_at(held(days, serial=999), NAMES, None)
    assert timedelta(days=days) * 0.36 < held(days).ends - sooner < timedelta(days=days) * 0.37


def test_the_authoritys_word_counts_as_long_as_it_leaves_time() -> None:
    assert due_at(held(), NAMES, BEGINS + DAY) == BEGINS + DAY
    assert due_at(held(), NAMES, BEGINS + 89 * DAY) == BEGINS + 75 * DAY


def test_failures_wait_longer_and_longer_and_as_long_as_they_are_told() -> None:
    waits = [next_attempt(n, None, 0.0, BEGINS) - BEGINS for n in range(1, 10)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(minutes=2), timedelta(hours=12))
    # Five failed validations an hour are Let's Encrypt's limit.
    assert sum(waits[:4], timedelta()) > timedelta(hours=1)
    assert next_attempt(1, None, 1.0, BEGINS) == BEGINS + timedelta(minutes=2.5)
    assert next_attempt(1, timedelta(hours=3), 0.0, BEGINS) == BEGINS + timedelta(hours=3)
    assert next_attempt(1, timedelta(days=999), 0.0, BEGINS) == BEGINS + 7 * DAY
