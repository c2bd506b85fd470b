"""Retention to the minute: short and long KEEP_DAYS, bent clocks, sleeping nodes, killed sweeps."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive_store.clock import day_of, day_start, key_expiry
from archive_store.errors import KeysMissing
from archive_store.models import DayKey, Entry, EntryIndex, Message, WriterKey
from archive_store.retention import Sweeper, last_day_over, visible_after
from tests.archive_store.conftest import KEEPS, World
from tests.parts.killing import kills_until_done

MAIL = b"Subject: x\r\n\r\nbody\r\n"
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def left(world: World) -> list[int]:
    with world.db.read() as tx:
        tables = (Entry, EntryIndex, Message, WriterKey)
        return [tx.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def sweeper(world: World, days: int = 7) -> Sweeper:
    keep = timedelta(days=days)
    return Sweeper(
        world.db,
        world.segments,
        replace(world.config, keep=keep, mailbag_keep=keep),
        lambda _: set(),
    )


@pytest.mark.parametrize("days", [1, 7, 90])
def test_an_entry_is_hidden_to_the_instant_and_gone_with_its_day(world: World, days: int) -> None:
    world.store(world.mail(MAIL, world.mailbox()))
    keep, [day] = timedelta(days=days), world.segments.days()
    with world.db.read() as tx:
        received = tx.scalars(select(Entry.received_at)).one()
    instant = timedelta(microseconds=1)
    assert received > visible_after(received + keep - instant, keep)
    assert not received > visible_after(received + keep, keep)

    over = key_expiry(day, keep)
    assert over == day_start(day) + keep + DAY
    keeps = KEEPS | {"mail": keep}
    assert ("mail", day) not in world.keyring.expire(over - MINUTE, keeps)
    assert sweeper(world, days).run(over - MINUTE).entries == 0
    assert left(world)[0] == 1

    assert ("mail", day) in world.keyring.expire(over, keeps)
    assert sweeper(world, days).run(over).entries == 1
    assert left(world) == [0, 0, 0, 0]
    assert world.segments.days() == []


@pytest.mark.parametrize("hours", [-12, -5, 0, 9, 14])
def test_the_end_of_a_day_is_the_same_instant_in_every_zone(hours: int) -> None:
    end = datetime(2026, 12, 2, tzinfo=UTC)
    there = end.astimezone(timezone(timedelta(hours=hours)))
    keep = timedelta(days=7)
    assert last_day_over(there, keep) == date(2026, 11, 24)
    assert last_day_over(there - MINUTE, keep) == date(2026, 11, 23)
    assert day_of(there - MINUTE) == date(2026, 12, 1)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"])
def test_the_machines_zone_changes_nothing(
    world: World, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        world.store(world.mail(MAIL, world.mailbox()))
        [day] = world.segments.days()
        over = key_expiry(day, timedelta(days=7))
        assert sweeper(world).run(over - MINUTE).entries == 0
        assert sweeper(world).run(over).entries == 1
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_a_clock_that_jumps_back_brings_nothing_back_and_takes_nothing(world: World) -> None:
    box = world.mailbox()
    [stored] = world.store(world.mail(MAIL, box))
    entry, _ = world.rows(stored.entry_ids[0])
    over = key_expiry(entry.day, timedelta(days=7))
    world.keyring.expire(over, KEEPS)
    world.opener.forget_expired()
    # The clock was set back by a day before the rows were swept: the key is gone all the same.
    assert sweeper(world).run(over - DAY).entries == 0
    with pytest.raises(KeysMissing):
        world.content_key(entry)
    world.keyring.extend(over - DAY)
    assert entry.day not in world.keyring.days["mail"]
    assert sweeper(world).run(over).entries == 1


def test_a_node_that_slept_three_days_forgets_all_of_them_at_once(world: World) -> None:
    box = world.mailbox(today=day_of(datetime.now(UTC)))
    world.store(*(world.mail(MAIL, box) for _ in range(3)))
    today = world.segments.days()[0]
    with world.db.write() as tx:
        for ago, entry in enumerate(tx.scalars(select(Entry))):
            message = tx.get(Message, entry.message_id)
            assert message is not None
            entry.day = message.day = today - ago * DAY
    awake = key_expiry(today, timedelta(days=7)) + 3 * DAY + MINUTE
    swept = sweeper(world).run(awake)
    assert (swept.entries, swept.messages) == (3, 3)
    assert swept.segment_days == tuple(today - ago * DAY for ago in (2, 1, 0))
    assert left(world) == [0, 0, 0, 0]


def test_a_sweep_that_is_killed_anywhere_is_finished_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive_store.retention.ROWS_AT_ONCE", 1)
    box = world.mailbox()
    world.store(*(world.mail(MAIL, box) for _ in range(2)))
    over = key_expiry(world.segments.days()[0], timedelta(days=7))
    assert kills_until_done(world.db, lambda: sweeper(world).run(over)) > 3
    assert left(world) == [0, 0, 0, 0]
    assert world.segments.days() == []
    with world.db.read() as tx:
        past = tx.scalars(select(DayKey.day).where(DayKey.series == "mail"))
        assert all(day > last_day_over(over, timedelta(days=7)) for day in past)


def test_no_transaction_of_a_sweep_deletes_more_than_its_part(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive_store.retention.ROWS_AT_ONCE", 2)
    world.store(world.mail(MAIL, *(world.mailbox(f"u{n}@acme.example") for n in range(7))))
    write, most = world.db.write, [0]

    @contextmanager
    def watched() -> Iterator[Session]:
        with write() as tx:
            before = rows(tx)
            yield tx
            tx.flush()
            most[0] = max(most[0], before - rows(tx))

    monkeypatch.setattr(world.db, "write", watched)
    sweeper(world).run(key_expiry(world.segments.days()[0], timedelta(days=7)))
    assert left(world) == [0, 0, 0, 0]
    assert most[0] == 2


def rows(tx: Session) -> int:
    """Those that a sweep deletes, writer keys among them: they would go with their day key."""
    tables = (Entry, Message, WriterKey, DayKey)
    return sum(tx.scalar(select(func.count()).select_from(table)) or 0 for table in tables)
