"""Mail under a legal hold: opened with the hold's key, copied out of the days that leave.

A held entry's content key is wrapped under the key of its hold (`app.keys.holding`). Its
octets lie in their day's segment like all others until that day leaves; just before, the
frame is copied, as sealed as it is, into segments of the hold's own, with the wrap under the
hold's key as its one slot: so an index can be rebuilt from there, and no day's key is.
All of a hold goes at once when it was released: its key, its rows, its segments.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from archive_store import seal
from archive_store.db import Database
from archive_store.directory import Owner
from archive_store.envelope import Envelope
from archive_store.errors import FrameBroken, FrameUnreadable, NotFound
from archive_store.models import HeldEntry, Message
from archive_store.reader import ArchiveReader, Opened, frame_ref
from archive_store.sealing import slot_place
from archive_store.segments import FrameRef, SegmentStore
from archive_store.segments.frame import HELD_SLOT, MessageFrame, Slot

FRAMES_AT_ONCE = 50
OCTETS_AT_ONCE = 32 * 1024 * 1024
ROWS_AT_ONCE = 500
PATIENCE = timedelta(days=2)
"""How long a day that is over waits for octets that the disk does not give."""
MOST_AWAY = 500  # more than these are no bad places of a disk, but a disk that is away
LOST = "lost"
"""Instead of a segment's name: the octets were lost before they could be copied."""

HoldSegments = Callable[[bytes], SegmentStore]
"""The segments of a hold by its id."""


def hold_place(installation: bytes, held: HeldEntry) -> bytes:
    """The context of a held entry's wrap."""
    ids = (held.tenant_id, held.hold_id, held.mailbox_id, held.message_id, held.entry_id)
    return seal.context("held", installation, *ids)


class HeldReader:
    """Opens held mail with content keys that the keys role opened."""

    def __init__(self, db: Database, reader: ArchiveReader, segments: HoldSegments) -> None:
        self._db = db
        self._reader = reader
        self._segments = segments

    def open(self, held: HeldEntry, content_key: bytes) -> Opened:
        """The octets as received. SealBroken, FrameBroken or NotFound when it can't be had."""
        if not held.segment:
            with self._db.read() as tx:
                message = tx.get(Message, held.message_id)
            try:
                if message is not None:
                    return self._reader.open(message, content_key)
            except NotFound:
                pass  # its day left since the row was read, or since a backup's was copied
        return self._reader.over(self._segments(held.hold_id)).open(self._copy(held), content_key)

    def envelope(self, held: HeldEntry, content_key: bytes) -> Envelope:
        """The envelope; it is sealed as it was for the entry."""
        owner = Owner.mailbox(held.tenant_id, held.mailbox_id)
        ids = (held.message_id, held.entry_id)
        place = slot_place(owner, self._reader.installation, "envelope", held.day, *ids)
        return Envelope.open(content_key, held.envelope, place)

    def _copy(self, held: HeldEntry) -> Message:
        if held.segment:
            ref = FrameRef(held.day, held.segment, held.frame_offset, held.frame_length)
            return _as_message(held, ref)
        for ref, octets in self._segments(held.hold_id).scan(held.day):
            if MessageFrame.decode(octets).message_id == held.message_id:
                return _as_message(held, ref)
        raise NotFound("the octets of a held message are not there")


class HeldCopier:
    """Copies held octets out of days that are about to leave."""

    def __init__(self, db: Database, segments: SegmentStore, holds: HoldSegments) -> None:
        self._db = db
        self._segments = segments
        self._holds = holds

    def run(self, over: date) -> int:
        """Copy what days up to `over` have, before they are dropped; says how many entries.

        A frame is durable before its row names it, and its day is dropped only after that. Of
        a crash in between a second copy stays in the hold's segments until it is released.
        What cannot be read now is tried again by the next runs; until then its day stays.
        """
        count, away = 0, set[bytes]()
        while True:
            with self._db.read() as tx:
                some = _waiting(tx, over, away)
            if not some:
                return count
            for hold_id in {held.hold_id for held, _ in some}:
                theirs = [pair for pair in some if pair[0].hold_id == hold_id]
                count += self._copy(hold_id, theirs, over, away)

    def _copy(
        self,
        hold_id: bytes,
        some: Sequence[tuple[HeldEntry, Message]],
        over: date,
        away: set[bytes],
    ) -> int:
        """Copy these, and say of how many that was done; the messages that are away are noted."""
        found: list[tuple[HeldEntry, bytes | None]] = []
        for held, message in some:
            try:
                found.append((held, self._frame(held, message)))
            except (NotFound, FrameUnreadable) as error:
                if over - held.day >= PATIENCE:
                    found.append((held, None))
                elif len(away) >= MOST_AWAY:
                    raise FrameUnreadable("held mail cannot be read now") from error
                else:
                    away.add(message.id)
        whole = [frame for _, frame in found if frame is not None]
        with closing(self._holds(hold_id)) as segments:
            refs = iter(segments.append(some[0][0].day, whole) if whole else [])
        with self._db.write() as tx:
            for held, frame in found:
                ref = next(refs) if frame is not None else None
                row = tx.get(HeldEntry, (held.hold_id, held.entry_id))
                if row is not None:
                    _say_where(row, ref)
        return len(found)

    def _frame(self, held: HeldEntry, message: Message) -> bytes | None:
        """The frame with the held entry's slot alone; None when it is damaged. NotFound or
        FrameUnreadable: it may be read another time, as when a disk was not mounted.
        """
        try:
            frame = MessageFrame.decode(self._segments.read(frame_ref(message)))
        except FrameUnreadable:
            raise
        except FrameBroken:
            return None
        return replace(frame, slots=_slots(held)).encode()


def _slots(held: HeldEntry) -> tuple[Slot, ...]:
    if not held.wrap:
        return ()  # it did not open any more when it was to be held
    ids = held.entry_id, held.mailbox_id, held.hold_id
    return (Slot(HELD_SLOT, *ids, held.wrap, held.envelope),)


def held_in(frame: MessageFrame, ref: FrameRef) -> Iterator[HeldEntry]:
    """The rows that a frame of a hold's segments stands for."""
    for slot in frame.slots:
        if slot.kind == HELD_SLOT:
            yield HeldEntry(
                hold_id=slot.writer_key_id,
                entry_id=slot.id,
                tenant_id=frame.tenant_id,
                mailbox_id=slot.owner_id,
                message_id=frame.message_id,
                received_at=frame.received_at,
                day=ref.day,
                size=frame.size,
                wrap=slot.wrap,
                envelope=slot.envelope,
                segment=ref.segment,
                frame_offset=ref.offset,
                frame_length=ref.length,
            )


def delete_held(db: Database, hold_id: bytes) -> int:
    """Delete the rows of what a released hold held; says how many."""
    count = 0
    of_hold = HeldEntry.hold_id == hold_id
    while True:
        with db.write() as tx:
            some = list(tx.scalars(select(HeldEntry.entry_id).where(of_hold).limit(ROWS_AT_ONCE)))
            tx.execute(delete(HeldEntry).where(of_hold, HeldEntry.entry_id.in_(some)))
        count += len(some)
        if len(some) < ROWS_AT_ONCE:
            return count


def _say_where(row: HeldEntry, ref: FrameRef | None) -> None:
    if ref is None:
        row.segment = LOST
    else:
        row.segment, row.frame_offset, row.frame_length = ref.segment, ref.offset, ref.length


def waiting_days(tx: Session) -> set[date]:
    """The days whose segments still have octets that a hold is to have."""
    held = HeldEntry.message_id == Message.id, HeldEntry.segment == ""
    return set(tx.scalars(select(HeldEntry.day).join(Message, held[0]).where(held[1]).distinct()))


def _waiting(tx: Session, over: date, away: set[bytes]) -> list[tuple[HeldEntry, Message]]:
    """Held entries of one day whose octets are still in their day's segments; a part of them.
    Those of messages that are away are passed over.
    """
    query = (
        select(HeldEntry, Message)
        .join(Message, Message.id == HeldEntry.message_id)
        .where(HeldEntry.segment == "", HeldEntry.day <= over, Message.id.not_in(away))
        .order_by(HeldEntry.day)
        .limit(FRAMES_AT_ONCE)
    )
    some: list[tuple[HeldEntry, Message]] = []
    octets = 0
    for held, message in tx.execute(query):
        if some and (held.day != some[0][0].day or octets > OCTETS_AT_ONCE):
            break
        some.append((held, message))
        octets += message.frame_length
    return some


def _as_message(held: HeldEntry, ref: FrameRef) -> Message:
    """What the reader needs to know of a message, from the held entry's row."""
    return Message(
        id=held.message_id,
        tenant_id=held.tenant_id,
        day=ref.day,
        received_at=held.received_at,
        size=held.size,
        segment=ref.segment,
        frame_offset=ref.offset,
        frame_length=ref.length,
    )
