"""Retention: the row, the octets and the keys of a day go together, and no others."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive_store.errors import KeysMissing
from archive_store.models import DayKey, Entry, Message, WriterKey
from archive_store.retention import Sweeper, last_day_over
from tests.archive_store.conftest import KEEP, KEEPS, World

MAIL = b"Subject: x\r\n\r\nbody\r\n"


def sweeper(world: World, busy: set[date] | None = None) -> Sweeper:
    return Sweeper(world.db, world.segments, world.config, lambda _: busy or set())


def counts(world: World) -> list[int]:
    with world.db.read() as tx:
        tables = (Entry, Message, WriterKey)
        return [tx.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def eighth_day_over() -> datetime:
    return datetime.now(UTC) + timedelta(days=9)


def test_the_last_day_over_is_the_one_whose_last_instant_is_past() -> None:
    end = datetime(2026, 12, 2, tzinfo=UTC)
    assert last_day_over(end, KEEP) == date(2026, 11, 24)
    assert last_day_over(end - timedelta(seconds=1), KEEP) == date(2026, 11, 23)


def test_nothing_goes_while_its_day_is_not_over(world: World) -> None:
    world.store(world.mail(MAIL, world.mailbox()))
    swept = sweeper(world).run(datetime.now(UTC) + timedelta(days=6, hours=23))
    assert swept.entries == swept.messages == 0
    assert counts(world) == [1, 1, 1]


def test_after_the_eighth_day_rows_octets_and_keys_are_gone(world: World) -> None:
    [stored] = world.store(world.mail(MAIL, world.mailbox()))
    entry, _ = world.rows(stored.entry_ids[0])
    at = eighth_day_over()
    world.keyring.expire(at, KEEPS)
    world.opener.forget_expired()
    with pytest.raises(KeysMissing):
        world.content_key(entry)
    swept = sweeper(world).run(at)
    assert (swept.entries, swept.messages) == (1, 1)
    assert counts(world) == [0, 0, 0]
    assert world.segments.days() == []
    with world.db.read() as tx:
        days = tx.scalars(select(DayKey.day).where(DayKey.series == "mail"))
        assert all(day > last_day_over(at, KEEP) for day in days)


def test_octets_that_the_mailbag_still_needs_stay(world: World) -> None:
    world.store(world.mail(MAIL, world.mailbox(), relay=True))
    today = world.segments.days()[0]
    soon = datetime.now(UTC) + timedelta(days=3)
    # A site that keeps mail for a day and tries delivery for seven.
    short = Sweeper(
        world.db,
        world.segments,
        type(world.config)(
            data_dir=world.config.data_dir,
            database_url=world.config.database_url,
            keep=timedelta(days=1),
        ),
        lambda _: {today},
    )
    swept = short.run(soon)
    assert swept.entries == 1
    assert swept.segment_days == ()
    assert world.segments.days() == [today]


def test_a_sweep_can_be_repeated(world: World) -> None:
    world.store(world.mail(MAIL, world.mailbox()))
    at = eighth_day_over()
    sweeper(world).run(at)
    assert sweeper(world).run(at).entries == 0


def test_a_sweep_lets_mail_in_between(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive_store.retention.ROWS_AT_ONCE", 2)
    box = world.mailbox()
    world.store(*(world.mail(b"%d" % number, box) for number in range(5)))
    longest: list[int] = []
    write = world.db.write

    @contextmanager
    def watched() -> Iterator[Session]:
        with write() as tx:
            before = counts(world)
            yield tx
            tx.flush()
            seen = [
                tx.scalar(select(func.count()).select_from(one)) or 0 for one in (Entry, Message)
            ]
            longest.append(max(b - s for b, s in zip(before, seen, strict=False)))

    monkeypatch.setattr(world.db, "write", watched)
    swept = sweeper(world).run(eighth_day_over())
    assert (swept.entries, swept.messages) == (5, 5)
    assert counts(world) == [0, 0, 0]
    assert max(longest) == 2


def test_rows_whose_files_are_lost_leave_with_their_day(world: World) -> None:
    world.store(world.mail(MAIL, world.mailbox()))
    for day in world.segments.days():
        world.segments.drop(day)
    assert sweeper(world).run(eighth_day_over()).messages == 1
    assert counts(world) == [0, 0, 0]


def test_each_sweep_empties_the_write_ahead_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    emptied: list[bool] = []
    monkeypatch.setattr(world.db, "checkpoint", lambda: emptied.append(True))
    sweeper(world).run(datetime.now(UTC))
    assert emptied
