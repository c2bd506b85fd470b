"""fsck: all is well in a sound store, and whatever is changed in it is found and named."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, inspect, select, update

from app.delivery import queue
from app.delivery.outcome import Deferred
from app.delivery.sealed import seal_reply
from app.fsck.check import check, repair
from app.fsck.findings import Mended, Wrong
from app.fsck.frames import FrameCheck
from app.fsck.keys import is_signed
from app.fsck.rows import RowCheck
from app.models import QueueItem
from archive_store.db import Base
from archive_store.models import DayKey, Entry, EntryIndex, MaillogLine, Message, WriterKey
from archive_store.opening import KeyOpener
from archive_store.sealing import queue_key
from archive_store.segments import FrameRef
from archive_store.segments.frame import KIND_MESSAGE, MessageFrame, kind_of, wrap_position
from archive_store.segments.survey import survey
from tests.app.conftest import World
from tests.app.fsck.conftest import (
    DirectKeys,
    SummariesOpenedOnce,
    checked,
    deleted_in_an_older_segment,
    flip,
    segment_of,
    store_in,
    today,
)
from tests.parts.seaweedfs import anywhere

MAIL = b"Subject: canary\r\n\r\nA word.\r\n"


def with_mail(world: World, *recipients: str) -> Entry:
    """One mail, indexed, that waits for its primary after a first try."""
    [shown] = world.receive(MAIL, *recipients)
    world.index()
    with world.db.write() as tx:
        item = tx.scalars(select(QueueItem)).one()
        key = queue_key(world.agent.queue_keys(tx, [item])[item.id])
        answer = Deferred(421, "later", "mx.example")
        item.last_reply = seal_reply(world.public.installation, item, key, answer)
    return world.entry(shown)


@anywhere
def test_a_sound_store_is_clean_and_everything_in_it_is_counted(any_world: World) -> None:
    with_mail(any_world)
    found = checked(any_world)
    assert found.problems == []
    assert (found.messages, found.entries, found.opened) == (1, 1, 1)
    assert (found.queue_items, found.summaries, found.log_lines) == (1, 1, 1)
    assert found.writer_keys == 3  # of the mailbox, the mailbag and the mail log
    assert found.day_keys == 15 * (4 + 2 * 2)  # four mailboxes, two domains' mailbags and logs
    assert (found.orphan_frames, found.torn_tails, found.half_erased) == (0, 0, 0)


class DeliversMeanwhile(DirectKeys):
    """The keys role as it is asked about items of which one is delivered just before."""

    left = 0

    def verify_queue(self, operator: str, item_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        if self.left:
            self.left -= 1
            with self._agent.db.write() as tx:
                delivered = {"state": queue.DELIVERED, "wrap": b"", "envelope": b""}
                tx.execute(update(QueueItem).where(QueueItem.id == item_ids[0]).values(**delivered))
        return super().verify_queue(operator, item_ids)


@anywhere
def test_deliveries_that_end_while_the_check_looks_are_no_fault(any_world: World) -> None:
    for _ in range(3):
        any_world.receive(MAIL)
    keys = DeliversMeanwhile(any_world.agent)
    keys.left = 3  # a second look at all of them would meet the next one
    found = check(replace(store_in(any_world), keys=keys))
    assert keys.left < 3
    assert found.problems == []
    assert found.queue_items == 3


def test_every_octet_of_a_segment_is_guarded(world: World) -> None:
    with_mail(world)
    path = segment_of(world)
    store = replace(store_in(world), keys=SummariesOpenedOnce(world.agent))
    sound = path.read_bytes()
    whole = len(list(store.segments.scan(today(world))))
    for at in range(len(sound)):
        flip(path, at)
        with path.open("rb") as file:
            stretches = list(survey(today(world), path.name, file))
        named = [one for one in stretches if not one.whole and not one.torn]
        # Where every frame agrees with its checksum, or the end seems torn: the whole check.
        if not named or len([one for one in stretches if one.whole]) == whole:
            assert check(store).problems, at
        flip(path, at)
    assert path.read_bytes() == sound
    assert check(store).clean


SEALED = [
    (Entry, "wrap"),
    (Entry, "envelope"),
    (QueueItem, "wrap"),
    (QueueItem, "envelope"),
    (QueueItem, "last_reply"),
    (EntryIndex, "summary"),
    (EntryIndex, "words"),
    (MaillogLine, "sealed"),
    (WriterKey, "sealed"),
    (DayKey, "private"),
    (DayKey, "summary"),
    (DayKey, "public"),
    (DayKey, "signature"),
]


@pytest.mark.parametrize(("table", "column"), SEALED, ids=lambda one: getattr(one, "__name__", one))
def test_every_octet_of_a_sealed_column_is_guarded(
    world: World, table: type[Base], column: str
) -> None:
    entry = with_mail(world)
    wrong = looking_at(world, table)
    with world.db.read() as tx:
        writer = tx.get_one(WriterKey, entry.writer_key_id)
        row = {WriterKey: writer, DayKey: tx.get_one(DayKey, writer.day_key_id)}.get(table)
        row = row or tx.scalars(select(table)).one()
        [key] = inspect(table).primary_key
        sound, of_row = getattr(row, column), key == getattr(row, key.name)
    assert not wrong(entry)
    for at in range(len(sound)):
        broken = sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :]
        with world.db.write() as tx:
            tx.execute(update(table).where(of_row).values({column: broken}))
        assert wrong(entry), at


def looking_at(world: World, table: type[Base]) -> Callable[[Entry], bool]:
    """The part of the check that looks at a table: whether it finds anything wrong."""
    store = store_in(world)
    rows = RowCheck(store, set())
    if table in (Entry, QueueItem):
        frames = [(ref, MessageFrame.decode(f)) for ref, f in messages(world)]
        return lambda _: not FrameCheck(store).check(frames).clean
    if table is WriterKey:
        return lambda entry: bool(store.keys.broken_writer_keys([entry.writer_key_id]))
    if table is DayKey:
        return lambda entry: is_broken(world, entry)
    if table is EntryIndex:
        rows = RowCheck(replace(store, keys=SummariesOpenedOnce(world.agent)), set())
        return lambda _: not rows.summaries().clean
    return lambda _: not rows.log_lines().clean


def is_broken(world: World, entry: Entry) -> bool:
    store = store_in(world)
    with world.db.read() as tx:
        row = tx.get_one(DayKey, tx.get_one(WriterKey, entry.writer_key_id).day_key_id)
    return bool(store.keys.broken_day_keys([row.id])) or not is_signed(store, row)


def messages(world: World) -> list[tuple[FrameRef, bytes]]:
    scanned = world.segments.scan(today(world))
    return [(ref, frame) for ref, frame in scanned if kind_of(frame) == KIND_MESSAGE]


def test_what_is_damaged_is_named_and_hides_nothing_behind_it(world: World) -> None:
    first, second = (world.receive(MAIL)[0] for _ in range(2))
    ref, _ = messages(world)[0]
    flip(segment_of(world), ref.offset + ref.length - 1)
    found = checked(world)
    assert found.wrong == {Wrong.SEGMENT: 1, Wrong.MESSAGE: 1, Wrong.ENTRY: 1}
    texts = " ".join(problem.text for problem in found.problems)
    assert first in texts
    assert second not in texts
    assert found.opened == 1


def test_a_torn_tail_and_mail_that_got_no_250_are_counted_and_no_fault(world: World) -> None:
    world.receive(MAIL)
    _, frame = messages(world)[0]
    orphan = replace(MessageFrame.decode(frame), message_id=b"o" * 16).encode()
    with segment_of(world).open("ab") as file:
        file.write(orphan + frame[:100])
    found = checked(world)
    assert found.clean
    assert (found.orphan_frames, found.torn_tails) == (1, 1)


def torn_batch(world: World) -> tuple[FrameRef, bytes]:
    """A mail that was taken, then a batch of two that got no 250; where the first of those lies."""
    world.receive(MAIL)
    ref, octets = messages(world)[0]
    taken = MessageFrame.decode(octets)
    two = [
        replace(taken, message_id=one * 16, content=bytes(range(256)) * 8) for one in (b"o", b"p")
    ]
    batch = [one.encode() for one in two]
    path = segment_of(world)
    at = path.stat().st_size
    with path.open("ab") as file:
        file.write(b"".join(batch))
    return replace(ref, offset=at, length=len(batch[0])), batch[0]


def zero_a_sector(world: World, ref: FrameRef) -> None:
    """The first that lies within a frame as a whole."""
    with segment_of(world).open("r+b") as file:
        file.seek(-(-ref.offset // 512) * 512)
        file.write(bytes(512))


def test_a_torn_sector_amid_a_batch_that_got_no_250_is_no_fault(any_world: World) -> None:
    ref, _ = torn_batch(any_world)
    zero_a_sector(any_world, ref)
    found = checked(any_world)
    assert found.problems == []
    assert (found.torn_tails, found.orphan_frames) == (1, 1)


def test_other_damage_in_a_batch_that_got_no_250_is_damage(world: World) -> None:
    ref, octets = torn_batch(world)
    flip(segment_of(world), ref.offset + len(octets) // 2)
    found = checked(world)
    assert (found.wrong, found.torn_tails) == ({Wrong.SEGMENT: 1}, 0)


def test_a_sector_of_zeros_before_mail_that_was_taken_is_damage(world: World) -> None:
    ref, _ = torn_batch(world)
    zero_a_sector(world, ref)
    # A row behind it: whatever lies before was synced with it.
    behind, _ = messages(world)[-1]
    values = {"frame_offset": behind.offset, "frame_length": behind.length}
    with world.db.write() as tx:
        tx.execute(update(Message).values(**values))
    assert checked(world).wrong[Wrong.SEGMENT] == 1


def test_a_sector_of_zeros_in_mail_that_was_taken_is_damage(world: World) -> None:
    world.receive(MAIL + b"%s\r\n" % secrets.token_hex(2000).encode())
    ref, _ = messages(world)[0]
    zero_a_sector(world, ref)
    found = checked(world)
    assert (found.wrong[Wrong.SEGMENT], found.torn_tails) == (1, 0)
    assert found.wrong[Wrong.ENTRY] == 1


MOVES = [
    (Entry, ("wrap", "envelope", "writer_key_id", "message_id", "slot")),
    (Entry, ("wrap", "envelope")),
    (Entry, ("mailbox_id",)),
    (Entry, ("day",)),
    (EntryIndex, ("summary",)),
    (EntryIndex, ("words",)),
    (MaillogLine, ("sealed", "writer_key_id")),
    (WriterKey, ("sealed",)),
    (DayKey, ("private",)),
    (DayKey, ("summary",)),
    (QueueItem, ("wrap", "envelope", "writer_key_id")),
]


@pytest.mark.parametrize(("table", "columns"), MOVES, ids=str)
def test_a_box_that_was_moved_to_another_place_does_not_open(
    world: World, table: type[Base], columns: tuple[str, ...]
) -> None:
    for address in ("vlad@acme.example", "nora@other.example"):
        world.receive(MAIL, address)
    world.index()
    days = {"day": world.clock().date() - timedelta(days=1)}
    with world.db.write() as tx:
        query = select(table)
        if table is DayKey:  # two that mail was sealed to, of two mailboxes
            used = select(WriterKey.day_key_id)
            query = query.where(DayKey.id.in_(used), DayKey.series == "mail")
        if table is WriterKey:
            boxes = select(DayKey.id).where(DayKey.series == "mail")
            query = query.where(WriterKey.day_key_id.in_(boxes))
        one, two = list(tx.scalars(query))[:2]
        for column in columns:
            setattr(one, column, days.get(column, getattr(two, column)))
    world.agent.opener = KeyOpener(world.agent.keyring)  # one that remembers nothing
    assert not checked(world).clean


@anywhere
def test_a_repair_puts_back_from_the_segments_what_a_row_lost(world: World) -> None:
    entry = with_mail(world)
    with world.db.write() as tx:
        tx.execute(update(Entry).values(wrap=bytes(60)))
        tx.execute(update(QueueItem).values(wrap=bytes(60)))
        tx.execute(update(Message).values(size=7))
        tx.execute(update(EntryIndex).values(summary=bytes(300)))
        tx.execute(delete(WriterKey).where(WriterKey.id == entry.writer_key_id))
    world.agent.opener = KeyOpener(world.agent.keyring)  # one that remembers nothing
    store = store_in(world)
    found, done = repair(store, check(store))
    assert found.problems == []
    assert done[Mended.PUT_BACK] >= 4
    assert done[Mended.TAKEN_OUT] == 0
    world.index()
    assert checked(world).summaries == 1


def test_a_repair_takes_out_what_never_opens_again_and_keeps_its_octets_apart(
    world: World,
) -> None:
    with_mail(world)
    ref, _ = messages(world)[0]
    flip(segment_of(world), ref.offset + ref.length - 1)
    store = store_in(world)
    found, done = repair(store, check(store))
    assert found.problems == []
    assert found.quarantined == 1
    assert found.entries == found.messages == 0
    assert done[Mended.TAKEN_OUT] == 2  # the message and its entry
    [kept] = world.config.quarantine_dir.rglob("*.octets")
    assert world.config.quarantine_dir.stat().st_mode & 0o777 == 0o700
    assert MAIL not in kept.read_bytes()
    store.quarantine.drop(today(world))
    assert not list(world.config.quarantine_dir.iterdir())


def test_a_damaged_slot_is_named_and_its_row_still_opens(world: World) -> None:
    entry = with_mail(world)
    ref, _ = messages(world)[0]
    flip(segment_of(world), ref.offset + wrap_position(entry.slot))
    store = store_in(world)
    found, _ = repair(store, check(store))
    assert found.wrong == {Wrong.SLOT: 1}
    assert found.opened == 1


@anywhere
def test_mail_that_was_deleted_for_good_does_not_come_back_by_a_repair(world: World) -> None:
    [shown] = world.receive(MAIL)
    viewer = world.viewer()
    for _ in range(2):  # into the trash, and out of it
        world.reading.delete(viewer, [shown])
    store = store_in(world)
    found = check(store)
    assert found.clean
    assert repair(store, found)[0].entries == 0


def test_the_key_of_a_deleted_message_in_an_older_segment_is_named_and_erased(
    any_world: World,
) -> None:
    wrap = deleted_in_an_older_segment(any_world, MAIL)
    store = store_in(any_world)
    found = check(store)
    assert found.wrong == {Wrong.SLOT: 1}
    found, done = repair(store, found)
    assert (found.problems, found.entries, found.queue_items) == ([], 0, 1)
    assert done == {Mended.TAKEN_OUT: 1}
    assert wrap not in segment_of(any_world).read_bytes()
