from datetime import UTC, datetime, timedelta

from app.delivery.schedule import JITTER, RETRY_DELAYS, deadline, next_attempt

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
MIDDLE = 0.5  # of the jitter: the delay itself


def test_the_first_retries_come_within_a_minute_and_later_ones_every_hour() -> None:
    until = NOW + WEEK
    waits = [next_attempt(NOW, n, until, MIDDLE) for n in (1, 2, 3, 8, 9, 500)]
    assert [w and (w - NOW).total_seconds() for w in waits] == [15, 30, 60, 3600, 3600, 3600]


def test_jitter_spreads_retries_around_the_delay() -> None:
    early, late = (next_attempt(NOW, 8, NOW + WEEK, jitter) for jitter in (0, 1))
    assert early is not None
    assert late is not None
    assert late - early == RETRY_DELAYS[-1] * JITTER


def test_the_last_attempt_falls_on_the_deadline() -> None:
    until = NOW + timedelta(minutes=5)
    assert next_attempt(NOW, 8, until, MIDDLE) == until


def test_at_the_deadline_it_is_given_up() -> None:
    assert next_attempt(NOW, 8, NOW, MIDDLE) is None


def test_mail_is_tried_for_as_long_as_the_setting_says() -> None:
    assert deadline(NOW, NOW.date(), WEEK) == NOW + WEEK


def test_mail_under_an_old_key_is_given_up_while_that_key_still_opens_it() -> None:
    # Sealed to a key of three days ago, which is destroyed at the end of its own week.
    key_day = NOW.date() - timedelta(days=3)
    until = deadline(NOW, key_day, WEEK)
    assert NOW < until < datetime(2026, 11, 29, tzinfo=UTC)
