"""The index role's work: bounded in memory, and no broken row holds up the others."""

from collections.abc import Sequence
from contextlib import suppress

import pytest
from sqlalchemy import select, update

from archive_store import resting
from archive_store.directory import Owner
from archive_store.errors import FrameUnreadable, SealBroken
from archive_store.ids import show
from archive_store.indexing import Indexer, Place
from archive_store.mime.summary import Summary
from archive_store.models import DayKey, Entry, EntryIndex, Message
from archive_store.segments import FrameRef
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

    def index_summary_keys(self, places: Sequence[Place]) -> dict[Place, bytes]:
        self.asked += 1
        found = {}
        for mailbox_id, day in places:
            owner = Owner.mailbox(self._world.tenant, mailbox_id)
            # One that is damaged is missing in the answer.
            with suppress(SealBroken), self._world.db.read() as tx:
                found[mailbox_id, day] = self._world.opener.summary_keys(tx, owner, {day})[day]
        return found


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


class Disk:
    """Gives nothing of one message while it fails; the time passes as it is told."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch, message_id: bytes) -> None:
        self.failing, self.now, self.alarms = True, 0.0, 0
        read = world.segments.read
        with world.db.read() as tx:
            bad = tx.get_one(Message, message_id)

        def failing(ref: FrameRef) -> bytes:
            if self.failing and (ref.segment, ref.offset) == (bad.segment, bad.frame_offset):
                raise FrameUnreadable("the disk cannot read a frame")
            return read(ref)

        monkeypatch.setattr(world.segments, "read", failing)
        monkeypatch.setattr("archive_store.indexing.monotonic", lambda: self.now)

    def alarm(self) -> None:
        self.alarms += 1


def test_a_message_that_could_not_be_read_is_tried_again_and_holds_up_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    boxes = [world.mailbox(f"p{number}@acme.example") for number in range(2)]
    bad, _ = world.store(world.mail(b"one", *boxes), world.mail(b"two", boxes[0]))
    disk = Disk(world, monkeypatch, bad.message_id)
    indexer = Indexer(world.db, world.reader, OwnKeys(world), Parsers(), disk.alarm)
    drained(indexer)
    assert indexed(world) == [False, False, True]
    drained(indexer)
    assert disk.alarms == 1  # it rests
    disk.now += resting.RETRY_SECONDS[0]
    drained(indexer)
    assert disk.alarms == 2
    disk.failing = False
    disk.now += resting.RETRY_SECONDS[0]
    drained(indexer)
    assert not all(indexed(world))  # each rest is longer than the one before
    disk.now += resting.RETRY_SECONDS[1]
    drained(indexer)
    assert all(indexed(world))
    assert summaries(world) == 3
    assert (
        caplog.messages
        == [f"message {show(bad.message_id)} is tried again: the disk cannot read a frame"] * 2
    )


def test_a_message_that_is_never_read_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    [bad] = world.store(world.mail(b"one", world.mailbox()))
    disk = Disk(world, monkeypatch, bad.message_id)
    indexer = Indexer(world.db, world.reader, OwnKeys(world), Parsers(), disk.alarm)
    for seconds in resting.RETRY_SECONDS:
        drained(indexer)
        assert indexed(world) == [False]
        disk.now += seconds
    drained(indexer)
    assert indexed(world) == [True]
    assert summaries(world) == 0
    assert disk.alarms == len(resting.RETRY_SECONDS) + 1


def test_a_disk_that_is_away_altogether_makes_everything_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive_store.resting.MOST", 0)
    [bad] = world.store(world.mail(b"one", world.mailbox()))
    disk = Disk(world, monkeypatch, bad.message_id)
    indexer = Indexer(world.db, world.reader, OwnKeys(world), Parsers(), disk.alarm)
    for _ in range(len(resting.RETRY_SECONDS) + 2):
        with pytest.raises(FrameUnreadable):
            indexer.run_once()
    disk.failing = False
    drained(indexer)
    assert summaries(world) == 1


def test_a_damaged_message_is_named_once_and_not_tried_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    [bad] = world.store(world.mail(b"one", world.mailbox()))
    with world.db.read() as tx:
        message = tx.get_one(Message, bad.message_id)
    world.rewrite(message.day, message.frame_offset + message.frame_length - 1)
    indexer = Indexer(world.db, world.reader, OwnKeys(world), Parsers())
    for _ in range(2):
        drained(indexer)
    assert indexed(world) == [True]
    assert [show(bad.message_id) in line for line in caplog.messages] == [True]
