"""An index from the segments alone, after the database was lost or an older one was put back.

Key rows come first, then domains and mailboxes with the ids that everything is sealed to,
then mail: whatever a slot opens gets its row again. A slot that was erased (a final delete,
a finished delivery) gives nothing back. Queue items come back held, since their server may
have the mail; what was to be sent later comes back as its writer's mail, and is not sent by itself.
Nothing gets a row that does not open; its octets go into quarantine.

Of legal holds what they had copied comes back (`rebuild_held`).

What segments do not know is lost: people with their passwords and identities, settings,
flags and folders, the audit trail, the mail log, and what became of deliveries.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.domains import Mode, UnknownRecipients
from app.fsck import rows_of
from app.fsck.keys import add_keys, is_signed
from app.fsck.ports import BATCH, Store, in_batches
from app.fsck.rebuild_held import HeldRebuild, hold_row
from app.models import Domain
from archive_store.address import EmailAddress
from archive_store.directory import Owner
from archive_store.envelope import Envelope
from archive_store.errors import FrameBroken, SealBroken
from archive_store.models import DayKey, Entry, Mailbox, Message, WriterKey
from archive_store.sealing import queue_key, slot_place
from archive_store.segments import FrameRef, KeySlot
from archive_store.segments.frame import (
    ENTRY_SLOTS,
    ERASED,
    KIND_KEY,
    PENDING_SLOT,
    QUEUE_SLOTS,
    SENT_SLOT,
    KeyFrame,
    MessageFrame,
    Slot,
    kind_of,
    wrap_position,
)

NOT_BROUGHT_BACK = (
    "lost with the database: people, passwords, identities, settings, flags and folders, the "
    "audit trail, the mail log, what became of deliveries. Of a hold that a search made, only "
    "what had left its days comes back: place it again for the rest. Domains are off and "
    "without their primary (`domain set`, `domain enable`); add each person with the old "
    "address, and the mail is there again; queue items are held (`queue list`, `queue release`)"
)


@dataclass(slots=True)
class Rebuilt:
    """What came back, in counts; `conflicts` are lines for a person."""

    domains: int = 0
    mailboxes: int = 0
    keys: int = 0
    messages: int = 0
    entries: int = 0
    queue_items: int = 0
    erased: int = 0
    quarantined: int = 0
    holds: int = 0
    held: int = 0
    holds_lost: int = 0
    held_lost: int = 0
    conflicts: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The counts by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "conflicts"}


@dataclass(frozen=True, slots=True)
class _Opened:
    """A slot that opens: its number, the day of its key, and its envelope."""

    number: int
    slot: Slot
    day: date
    envelope: Envelope


class Rebuild:
    """One rebuild. Nothing else may write to the store meanwhile."""

    def __init__(self, store: Store, now: datetime) -> None:
        self._store = store
        self._now = now
        self._found = Rebuilt()

    def run(self) -> Rebuilt:
        """Bring back what there is; may be run again."""
        names: dict[Owner, str] = {}
        for some in in_batches(list(self._key_frames())):
            self._add_keys([(ref, KeyFrame.decode(self._store.segments.read(ref))) for ref in some])
            names |= self._names(some, names)
        for owner, address in sorted(names.items(), key=lambda one: one[1]):
            self._add_mailbox(owner, address)
        for batch in self._message_frames():
            self._add_messages(batch)
        self._add_holds()
        return self._found

    def _add_holds(self) -> None:
        held = HeldRebuild(self._store)
        for one in held.holds():
            if one.facts is not None and one.facts.mailbox_id:
                owner = Owner.mailbox(one.domain_id, one.facts.mailbox_id)
                self._add_mailbox(owner, one.facts.address)
            with self._store.db.write() as tx:
                if self._add_domain(tx, one.domain_id, one.domain):
                    tx.add(hold_row(one, self._store.operator, self._now))
                    self._found.holds += 1
                    self._found.held += one.held
        self._found.held_lost, self._found.holds_lost = held.lost, held.without_row()

    def _scan(self) -> Iterator[tuple[FrameRef, bytes]]:
        oldest = min(self._store.over.values())
        for day in self._store.segments.days():
            if day > oldest:
                yield from self._store.segments.scan(day)

    def _key_frames(self) -> Iterator[FrameRef]:
        for ref, octets in self._scan():
            if kind_of(octets) == KIND_KEY:
                yield ref

    def _add_keys(self, frames: Sequence[tuple[FrameRef, KeyFrame]]) -> None:
        store = self._store
        live = [
            (ref, key)
            for ref, key in frames
            if key.day > store.over.get(key.series, date.max) and is_signed(store, key)
        ]
        with store.db.write() as tx:
            added = [(ref, key) for ref, key in live if add_keys(tx, key)]
        # A key of today that does not open would swallow the mail of today.
        bad_days = set(store.keys.broken_day_keys([key.day_key_id for _, key in added]))
        bad = set(store.keys.broken_writer_keys([key.writer_key_id for _, key in added]))
        for ref, key in added:
            if key.day_key_id in bad_days or key.writer_key_id in bad:
                store.quarantine.put(ref, key.encode())
                self._found.quarantined += 1
                with store.db.write() as tx:
                    self._forget(tx, key, whole=key.day_key_id in bad_days)
            else:
                self._found.keys += 1

    def _forget(self, tx: Session, key: KeyFrame, *, whole: bool) -> None:
        row = tx.get(DayKey, key.day_key_id) if whole else tx.get(WriterKey, key.writer_key_id)
        if row is not None:
            tx.delete(row)

    def _names(self, refs: Sequence[FrameRef], known: dict[Owner, str]) -> dict[Owner, str]:
        """The addresses of mailboxes that are not known yet."""
        frames = [KeyFrame.decode(self._store.segments.read(ref)) for ref in refs]
        wanted = [
            key
            for key in frames
            if key.name and Owner(key.series, key.tenant_id, key.owner_id) not in known
        ]
        names = self._store.keys.recover_names(self._store.operator, wanted)
        owners = {key.owner_id: Owner(key.series, key.tenant_id, key.owner_id) for key in wanted}
        return {owners[owner_id]: name for owner_id, name in names.items()}

    def _add_mailbox(self, owner: Owner, address: str) -> None:
        with self._store.db.write() as tx:
            if tx.get(Mailbox, owner.owner_id) is not None:
                return
            other = tx.scalar(select(Mailbox.id).where(Mailbox.address == address))
            name = EmailAddress.parse(address).ascii_domain
            if other is not None or not self._add_domain(tx, owner.tenant_id, name):
                self._found.conflicts.append(
                    f"{address} is here already under another id: its mail can only come back "
                    "into a database to which neither its domain nor its person was added"
                )
                return
            created = {"created_at": self._now}
            tx.add(
                Mailbox(id=owner.owner_id, tenant_id=owner.tenant_id, address=address, **created)
            )
            self._found.mailboxes += 1

    def _add_domain(self, tx: Session, domain_id: bytes, name: str) -> bool:
        """Whether the domain is there now, under this id. Off, and without its primary."""
        if tx.get(Domain, domain_id) is not None:
            return True
        if tx.scalar(select(Domain.id).where(Domain.name == name)) is not None:
            return False
        tx.add(
            Domain(
                id=domain_id,
                name=name,
                mode=Mode.COPY,
                relay_host="",
                relay_port=0,
                enabled=False,
                all_users=False,
                unknown_recipients=UnknownRecipients.REJECT,
                smarthost="",
                created_at=self._now,
            )
        )
        tx.flush()
        self._found.domains += 1
        return True

    def _message_frames(self) -> Iterator[list[tuple[FrameRef, MessageFrame]]]:
        batch: list[tuple[FrameRef, MessageFrame]] = []
        for ref, octets in self._scan():
            try:
                if kind_of(octets) != KIND_KEY:
                    batch.append((ref, MessageFrame.decode(octets)))
            except FrameBroken:
                self._quarantine(ref, octets)
            if len(batch) >= BATCH // 10:  # whole messages: few at a time
                yield batch
                batch = []
        if batch:
            yield batch

    def _add_messages(self, frames: Sequence[tuple[FrameRef, MessageFrame]]) -> None:
        with self._store.db.read() as tx:
            of_frames = Message.id.in_([frame.message_id for _, frame in frames])
            known = set(tx.scalars(select(Message.id).where(of_frames)))
        fresh = [(ref, frame) for ref, frame in frames if frame.message_id not in known]
        slots = [(frame, slot) for _, frame in fresh for slot in frame.slots if slot.wrap != ERASED]
        opened = self._store.keys.recover_slots(self._store.operator, slots) if slots else {}
        for ref, frame in fresh:
            self._add_message(ref, frame, opened)

    def _add_message(
        self, ref: FrameRef, frame: MessageFrame, keys: dict[bytes, tuple[date, bytes]]
    ) -> None:
        good: list[_Opened] = []
        for number, slot in enumerate(frame.slots):
            buried = slot.id in self._store.buried
            if buried and slot.wrap != ERASED:  # the segment is an older copy than its delete
                self._store.segments.erase([KeySlot(ref, wrap_position(number))])
            if buried or slot.wrap == ERASED:
                self._found.erased += 1
                continue
            opened = self._open(frame, number, *keys[slot.id]) if slot.id in keys else None
            if opened is not None:
                good.append(opened)
            elif not self._is_over(ref, slot):
                kept = replace(frame, slots=(slot,))
                self._quarantine(ref, kept.encode())
        if good:
            with self._store.db.write() as tx:
                self._insert(tx, ref, frame, good)

    def _is_over(self, ref: FrameRef, slot: Slot) -> bool:
        series = "mailbag" if slot.kind in QUEUE_SLOTS else "mail"
        return ref.day <= self._store.over[series]

    def _open(self, frame: MessageFrame, number: int, day: date, key: bytes) -> _Opened | None:
        slot = frame.slots[number]
        queued = slot.kind in QUEUE_SLOTS
        owner = Owner("mailbag" if queued else "mail", frame.tenant_id, slot.owner_id)
        ids = (frame.message_id, slot.id)
        place = slot_place(owner, self._store.installation, "envelope", day, *ids)
        try:
            self._store.reader.open_frame(frame.tenant_id, frame, key)
            envelope = Envelope.open(queue_key(key) if queued else key, slot.envelope, place)
        except SealBroken:
            return None
        return _Opened(number, slot, day, envelope)

    def _insert(
        self, tx: Session, ref: FrameRef, frame: MessageFrame, good: Sequence[_Opened]
    ) -> None:
        entries = [
            one
            for one in good
            if one.slot.kind in ENTRY_SLOTS and tx.get(Mailbox, one.slot.owner_id) is not None
        ]
        queued = [
            one for one in good if one.slot.kind in QUEUE_SLOTS and one.slot.kind != PENDING_SLOT
        ]
        items = [one for one in queued if self._has_domain(tx, one)]
        if not entries and not items:
            return  # its owner is in conflict, or nameless: said once, not for each mail
        tx.add(rows_of.message(ref, frame))
        tx.flush()
        self._found.messages += 1
        for one in entries:
            entry: Entry = rows_of.entry(frame, one.number, one.day)
            tx.add(entry)
        for one in items:
            entry_id = _entry_of(one, entries)
            tx.add(rows_of.queue_item(frame, one.number, one.day, entry_id, self._now))
        self._found.entries += len(entries)
        self._found.queue_items += len(items)

    def _has_domain(self, tx: Session, one: _Opened) -> bool:
        if tx.get(Domain, one.slot.owner_id) is not None:
            return True
        if one.slot.kind not in QUEUE_SLOTS[:1]:
            return False
        # Nobody of that domain has a mailbox: only the mail itself knows its name.
        name = EmailAddress.parse(one.envelope.rcpt_to).ascii_domain
        return self._add_domain(tx, one.slot.owner_id, name)

    def _quarantine(self, ref: FrameRef, octets: bytes) -> None:
        self._store.quarantine.put(ref, octets)
        self._found.quarantined += 1


def _entry_of(item: _Opened, entries: Sequence[_Opened]) -> bytes | None:
    """The entry that shows what becomes of a queue item, as the writer had linked them."""
    for entry in entries:
        sent = item.slot.kind not in QUEUE_SLOTS[:1] and entry.slot.kind == SENT_SLOT
        if sent or entry.envelope.rcpt_to == item.envelope.rcpt_to:
            return entry.slot.id
    return None
