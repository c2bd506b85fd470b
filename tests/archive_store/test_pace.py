"""Indexing gives way to a flood of mail, but not for long."""

from archive_store.pace import FLOOD, LOOK, PATIENCE, Pace


def holds_back(pace: Pace, rate: float, begin: float, end: float, seq: float = 0) -> list[bool]:
    """What it decides at each look while mail comes in at a rate."""
    looks = round((end - begin) / LOOK)
    return [
        pace.holds_back(round(seq + rate * LOOK * look), begin + LOOK * look)
        for look in range(1, looks + 1)
    ]


def test_ordinary_mail_is_indexed_at_once() -> None:
    pace = Pace()
    assert not pace.holds_back(0, 100.0)
    assert not any(holds_back(pace, FLOOD * 0.9, 100.0, 200.0))


def test_a_backlog_at_the_start_is_no_flood() -> None:
    pace = Pace()
    assert not pace.holds_back(1_000_000, 100.0)
    assert not pace.holds_back(1_000_000, 100.0 + LOOK)


def test_a_flood_goes_first_until_it_ends() -> None:
    pace = Pace()
    pace.holds_back(0, 100.0)
    assert all(holds_back(pace, FLOOD * 10, 100.0, 102.0))
    newest = round(FLOOD * 10 * 2)
    assert not pace.holds_back(newest, 102.0 + 2 * LOOK)


def test_nobody_waits_for_longer_than_the_patience() -> None:
    pace = Pace()
    pace.holds_back(0, 100.0)
    decided = holds_back(pace, FLOOD * 10, 100.0, 100.0 + 4 * PATIENCE)
    assert decided[0]
    assert sum(decided) * LOOK <= PATIENCE + LOOK
    assert not any(decided[-10:])


def test_looks_that_are_too_close_change_nothing() -> None:
    pace = Pace()
    pace.holds_back(0, 100.0)
    assert not pace.holds_back(100, 100.0 + LOOK / 100)
    assert pace.holds_back(10_000, 100.0 + LOOK)
    assert pace.holds_back(10_000, 100.0 + LOOK * 1.5)
