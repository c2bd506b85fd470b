"""The segments against the rows: every octet is a frame, and every frame as its rows say."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from app.delivery import queue
from app.delivery.sealed import open_envelope, open_reply
from app.fsck import rows_of
from app.fsck.findings import Findings, Mend, Mended, Problem, Wrong
from app.fsck.ports import Store
from app.fsck.rows import take_out
from app.models import QueueItem
from archive_store import ids
from archive_store.clock import utc_now
from archive_store.errors import FrameBroken, NotFound, SealBroken
from archive_store.models import DayKey, Entry, Message, WriterKey
from archive_store.reader import Opened
from archive_store.sealing import queue_key
from archive_store.segments import FrameRef, KeySlot
from archive_store.segments.frame import (
    ENTRY_SLOTS,
    ERASED,
    PENDING_SLOT,
    QUEUE_SLOTS,
    MessageFrame,
    Slot,
    wrap_position,
)

LOOKS = 4
Frames = Sequence[tuple[FrameRef, MessageFrame]]


@dataclass(slots=True)
class _Rows:
    """The rows of some messages, and the content keys that they open with."""

    messages: dict[bytes, Message]
    entries: dict[bytes, list[Entry]]
    items: dict[bytes, list[QueueItem]]
    entry_keys: Mapping[bytes, bytes] = field(default_factory=dict)
    item_keys: Mapping[bytes, bytes] = field(default_factory=dict)


class FrameCheck:
    """Checks frames of messages. `seen`: those whose frame was found."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.seen: set[bytes] = set()

    def check(self, frames: Frames) -> Findings:
        """Check some frames; what seems wrong is looked at again, since mail comes and goes."""
        found = Findings()
        for look in range(LOOKS):
            seen = list(zip(frames, self._check(frames), strict=True))
            for _, findings in seen:
                if not findings.problems or look == LOOKS - 1:
                    found.add(findings)
            # Only these: while deliveries end, some item of a large batch always just has.
            frames = self._reread([frame for frame, findings in seen if findings.problems])
            if not frames:
                break
        return found

    def _reread(self, frames: Frames) -> Frames:
        again = []
        for ref, frame in frames:
            try:
                again.append((ref, MessageFrame.decode(self._store.segments.read_with_wraps(ref))))
            except NotFound:
                continue  # its day has left meanwhile
            except FrameBroken:
                again.append((ref, frame))
        return again

    def _check(self, frames: Frames) -> list[Findings]:
        rows = self._rows([frame.message_id for _, frame in frames])
        self.seen |= rows.messages.keys()
        return [_Frame(self._store, rows, ref, frame).check() for ref, frame in frames]

    def _rows(self, message_ids: Sequence[bytes]) -> _Rows:
        with self._store.db.read() as tx:
            rows = _Rows(
                {m.id: m for m in tx.scalars(select(Message).where(Message.id.in_(message_ids)))},
                defaultdict(list),
                defaultdict(list),
            )
            for entry in tx.scalars(select(Entry).where(Entry.message_id.in_(message_ids))):
                rows.entries[entry.message_id].append(entry)
            of_messages = QueueItem.message_id.in_(message_ids)
            for item in tx.scalars(select(QueueItem).where(of_messages)):
                rows.items[item.message_id].append(item)
        store = self._store
        entries = [e.id for some in rows.entries.values() for e in some if not _past(store, e)]
        waiting = [i.id for some in rows.items.values() for i in some if _opens(store, i)]
        rows.entry_keys = store.keys.verify_entries(store.operator, entries) if entries else {}
        rows.item_keys = store.keys.verify_queue(store.operator, waiting) if waiting else {}
        return rows


class _Frame:
    """One frame and its rows."""

    def __init__(self, store: Store, rows: _Rows, ref: FrameRef, frame: MessageFrame) -> None:
        self._store = store
        self._rows = rows
        self._ref = ref
        self._frame = frame
        self._opened: dict[bytes, Opened] = {}
        self._found = Findings(frames=1)

    def check(self) -> Findings:
        message = self._rows.messages.get(self._frame.message_id)
        if message is None:
            self._found.orphan_frames = 1
            return self._found
        values = rows_of.message_values(self._ref, self._frame)
        if rows_of.differs(message, values):
            change = update(Message).where(Message.id == message.id).values(**values)
            mend = Mend(Mended.PUT_BACK, lambda tx: _run(tx, change))
            self._problem(Wrong.MESSAGE, message.id, "its row says other than its frame", mend)
        for entry in self._rows.entries[message.id]:
            self._entry(entry)
        for item in self._rows.items[message.id]:
            self._item(item)
        self._nameless_slots(message.id)
        genuine = [opened.genuine for opened in self._opened.values()]
        self._found.not_genuine = int(bool(genuine) and not all(genuine))
        return self._found

    def _entry(self, entry: Entry) -> None:
        self._found.entries += 1
        if _past(self._store, entry):
            self._found.past += 1
            return
        opens = self._entry_opens(entry)
        slot = self._slot(entry.id, entry.slot, ENTRY_SLOTS)
        self._found.opened += opens
        if slot is None:
            self._problem(Wrong.SLOT, entry.id, "its slot names another")
        mend = None
        if slot is not None and slot.wrap == ERASED:
            self._found.half_erased += 1
        elif slot is not None:
            values = rows_of.entry_values(self._frame, slot)
            if rows_of.differs(entry, values):
                change = update(Entry).where(Entry.id == entry.id).values(**values)
                mend = Mend(Mended.PUT_BACK, lambda tx: _run(tx, change))
                text = "its row says other than its slot"
                # Where the row opens, it is the slot that is damaged, and stays so.
                clear = entry.wrap == slot.wrap and entry.envelope == slot.envelope
                self._problem(Wrong.SLOT, entry.id, text, mend if clear or not opens else None)
        if not opens:
            self._problem(Wrong.ENTRY, entry.id, "does not open", mend or self._take_out(entry))

    def _take_out(self, entry: Entry) -> Mend:
        """Out of the index, and its key out of the frame, or a rebuild would find it there."""
        rows = take_out(entry.seq)

        def change(tx: Session) -> None:
            if self._slot(entry.id, entry.slot, ENTRY_SLOTS) is not None:
                kept = replace(self._frame, slots=(self._frame.slots[entry.slot],))
                self._store.quarantine.put(self._ref, kept.encode())
                start = wrap_position(entry.slot)
                self._store.segments.erase([KeySlot(self._ref, start)])
            rows.change(tx)

        return Mend(rows.how, change)

    def _entry_opens(self, entry: Entry) -> bool:
        key = self._rows.entry_keys.get(entry.id)
        if key is None or not self._content_opens(key):
            return False
        try:
            self._store.reader.envelope(self._frame.tenant_id, entry, key)
        except SealBroken:
            return False
        return True

    def _item(self, item: QueueItem) -> None:
        self._found.queue_items += 1
        if not _opens(self._store, item):
            return
        opens = self._item_opens(item)
        slot = self._slot(item.id, item.slot, QUEUE_SLOTS)
        mend = None
        if slot is None:
            self._problem(Wrong.SLOT, item.id, "its slot names another")
        elif slot.wrap == ERASED:
            self._found.half_erased += 1
        else:
            values = {
                "domain_id": slot.owner_id,
                "writer_key_id": slot.writer_key_id,
                "wrap": slot.wrap,
                "envelope": slot.envelope,
            }
            if rows_of.differs(item, values):
                change = update(QueueItem).where(QueueItem.id == item.id).values(**values)
                mend = None if opens else Mend(Mended.PUT_BACK, lambda tx: _run(tx, change))
                self._problem(Wrong.SLOT, item.id, "its row says other than its slot", mend)
        if not opens:
            self._problem(Wrong.QUEUE_ITEM, item.id, "does not open", mend)

    def _item_opens(self, item: QueueItem) -> bool:
        key = self._rows.item_keys.get(item.id)
        if key is None or not self._content_opens(key):
            return False
        try:
            open_envelope(self._store.installation, item, queue_key(key))
            open_reply(self._store.installation, item, queue_key(key))
        except SealBroken:
            return False
        return True

    def _content_opens(self, key: bytes) -> bool:
        if key not in self._opened:
            try:
                opened = self._store.reader.open_frame(self._frame.tenant_id, self._frame, key)
            except SealBroken:
                return False
            self._opened[key] = opened
        return True

    def _slot(self, wanted: bytes, number: int, kinds: tuple[bytes, ...]) -> Slot | None:
        """The slot of a row; None when another stands there."""
        if not 0 <= number < len(self._frame.slots):
            return None
        slot = self._frame.slots[number]
        return slot if slot.id == wanted and slot.kind in kinds else None

    def _nameless_slots(self, message_id: bytes) -> None:
        named = {row.id for row in self._rows.entries[message_id]}
        named |= {row.id for row in self._rows.items[message_id]}
        if self._ref.day <= self._store.over["mail"]:
            return  # entries leave before the octets that the mailbag may still need
        for number, slot in enumerate(self._frame.slots):
            if slot.wrap == ERASED or slot.id in named:
                continue
            self._nameless(number, slot)

    def _nameless(self, number: int, slot: Slot) -> None:
        if slot.id in self._store.buried:
            key = KeySlot(self._ref, wrap_position(number))
            erase = Mend(Mended.TAKEN_OUT, lambda _: self._store.segments.erase([key]))
            text = "was deleted for good, and its key is in the segment"
            self._problem(Wrong.SLOT, slot.id, text, erase)
        elif slot.kind in ENTRY_SLOTS:
            add = Mend(Mended.PUT_BACK, lambda tx: self._add(tx, number))
            self._problem(Wrong.ENTRY, slot.id, "has no row", add)
        elif slot.kind == PENDING_SLOT:
            # Whether its writer took it back is lost with the row: it is not sent by itself.
            key = KeySlot(self._ref, wrap_position(number))
            erase = Mend(Mended.TAKEN_OUT, lambda _: self._store.segments.erase([key]))
            self._problem(Wrong.QUEUE_ITEM, slot.id, "was to be sent, and has no row", erase)
        elif slot.kind in QUEUE_SLOTS:
            add = Mend(Mended.PUT_BACK, lambda tx: self._add(tx, number))
            self._problem(Wrong.QUEUE_ITEM, slot.id, "has no row", add)
        else:
            self._problem(Wrong.SLOT, slot.id, "is of no kind that there is")

    def _add(self, tx: Session, number: int) -> None:
        slot = self._frame.slots[number]
        day = tx.scalar(
            select(DayKey.day)
            .join(WriterKey, WriterKey.day_key_id == DayKey.id)
            .where(WriterKey.id == slot.writer_key_id, DayKey.owner_id == slot.owner_id)
        )
        if day is None:
            return  # nothing opens it: it stays a problem
        if slot.kind in ENTRY_SLOTS:
            tx.add(rows_of.entry(self._frame, number, day))
        else:
            tx.add(rows_of.queue_item(self._frame, number, day, None, utc_now()))

    def _problem(self, wrong: Wrong, one: bytes, text: str, mend: Mend | None = None) -> None:
        name = {Wrong.MESSAGE: "message", Wrong.QUEUE_ITEM: "queue item"}.get(wrong, "entry")
        if wrong is Wrong.SLOT:
            name = "slot"
        self._found.problems.append(Problem(wrong, f"{name} {ids.show(one)}: {text}", mend))


def _past(store: Store, entry: Entry) -> bool:
    return entry.day <= store.over["mail"]


def _opens(store: Store, item: QueueItem) -> bool:
    """Whether a queue item has to open: it waits, and its time is not over."""
    return item.state in queue.WAITING and item.day > store.over["mailbag"]


def _run(tx: Session, change: Update) -> None:
    tx.execute(change)
