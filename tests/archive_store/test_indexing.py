"""The index role's work: bounded in memory, and no broken row holds up the others."""

from collections.abc import Sequence
from datetime import date

import pytest
from sqlalchemy import select, update

from archive_store.directory import Owner
from archive_store.indexing import Indexer
from archive_store.mime.summary import Summary
from archive_store.models import DayKey, Entry, EntryIndex
from tests.archive_store.conftest import World


class OwnKeys:
    """The keys role's answers, and how often it was asked for a summary key."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.asked = 0

    def open_for_index(self, seqs: Sequence[int]) -> dict[int, bytes]:
        with self._world.db.read() as tx:
            entries = list(tx.scalars(select(Entry).where(Entry.seq.in_(seqs))))
        return {entry.seq: self._world.content_key(entry) for entry in entries}

    def index_summary_key(self, mailbox_id: bytes, day: date) -> bytes:
        self.asked += 1
        owner = Owner.mailbox(self._world.tenant, mailbox_id)
        with self._world.db.read() as tx:
            return self._world.opener.summary_keys(tx, owner, {day})[day]


class Parsers:
    """Remembers how much it was given at once."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def summaries(self, batch: Sequence[bytes]) -> list[tuple[Summary, str]]:
        self.batches.append(sum(map(len, batch)))
        return [(Summary(subject="x"), "words") for _ in batch]


def drained(indexer: Indexer) -> None:
    while indexer.run_once():
        pass


def indexed(world: World) -> list[bool]:
    with world.db.read() as tx:
        return list(tx.scalars(select(Entry.indexed).order_by(Entry.seq)))


def summaries(world: World) -> int:
    with world.db.read() as tx:
        return len(tx.scalars(select(EntryIndex.entry_seq)).all())


def test_large_messages_are_not_all_opened_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive_store.indexing.BATCH_OCTETS", 25_000)
    boxes = [world.mailbox(f"p{number}@acme.example") for number in range(2)]
    sizes = [10_000, 10_000, 10_000, 40_000, 10_000]
    world.store(*(world.mail(b"x" * size, *boxes) for size in sizes))
    parsers = Parsers()
    drained(Indexer(world.db, world.reader, OwnKeys(world), parsers))
    assert all(indexed(world))
    # The two recipients of a mail share its octets; one that is larger goes by itself.
    assert parsers.batches == [20_000, 10_000, 40_000, 10_000]


def test_a_mailbox_whose_summary_key_is_damaged_holds_up_nobody_else(world: World) -> None:
    bad, good = world.mailbox("bad@acme.example"), world.mailbox("good@acme.example")
    with world.db.write() as tx:
        tx.execute(update(DayKey).where(DayKey.owner_id == bad).values(summary=b"x" * 60))
    world.store(world.mail(b"one", bad), world.mail(b"two", good))
    drained(Indexer(world.db, world.reader, OwnKeys(world), Parsers()))
    assert indexed(world) == [True, True]
    assert summaries(world) == 1


def test_summary_keys_do_not_stay_in_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    keys, box = OwnKeys(world), world.mailbox()
    indexer = Indexer(world.db, world.reader, keys, Parsers())
    for kept_seconds, asked in ((900.0, 1), (0.0, 3)):
        monkeypatch.setattr("archive_store.indexing.KEYS_KEPT_SECONDS", kept_seconds)
        for _ in range(2):
            world.store(world.mail(b"mail", box))
            drained(indexer)
        assert keys.asked == asked


def test_two_index_roles_may_take_the_same_entries(world: World) -> None:
    world.store(world.mail(b"mail", world.mailbox()))
    other = Indexer(world.db, world.reader, OwnKeys(world), Parsers())

    class Overtaken(Parsers):
        def summaries(self, batch: Sequence[bytes]) -> list[tuple[Summary, str]]:
            drained(other)
            return super().summaries(batch)

    assert Indexer(world.db, world.reader, OwnKeys(world), Overtaken()).run_once() == 1
    assert summaries(world) == 1
