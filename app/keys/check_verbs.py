"""What `fsck` may ask of the keys role: it opens everything and shows nothing.

Verbs of the admin socket. Whatever hands out keys is an event in the installation's trail.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.audit import events
from app.keys.agent import KeyAgent
from app.models import QueueItem
from app.viewer import Actor
from archive_store.directory import Owner
from archive_store.errors import KeysMissing, SealBroken
from archive_store.hold_facts import HoldFacts
from archive_store.models import DayKey, Entry, HeldEntry, WriterKey
from archive_store.segments.frame import QUEUE_SLOTS, KeyFrame, MessageFrame, Slot
from archive_store.writerkeys import open_name


class CheckVerbs:
    """The verbs of a check of the store."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent

    def verify_entries(self, operator: str, entry_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Content keys of entries; what does not open is missing."""
        with self._agent.lock, self._agent.db.write() as tx:
            entries = list(tx.scalars(select(Entry).where(Entry.id.in_(entry_ids))))
            self._record(tx, operator, len(entries))
            return self._agent.content_keys(tx, entries)

    def verify_queue(self, operator: str, item_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Content keys of queue items; what does not open is missing."""
        with self._agent.lock, self._agent.db.write() as tx:
            items = list(tx.scalars(select(QueueItem).where(QueueItem.id.in_(item_ids))))
            self._record(tx, operator, len(items))
            return self._agent.queue_keys(tx, items)

    def verify_summaries(self, operator: str, mailbox_id: bytes) -> dict[date, bytes]:
        """Summary keys of a mailbox; days that are over or do not open are missing."""
        with self._agent.lock, self._agent.db.write() as tx:
            owner = self._agent.owner(tx, mailbox_id)
            of_owner = DayKey.series == owner.series, DayKey.owner_id == owner.owner_id
            found: dict[date, bytes] = {}
            for day in list(tx.scalars(select(DayKey.day).where(*of_owner))):
                try:
                    found |= self._agent.opener.summary_keys(tx, owner, {day})
                except SealBroken:
                    continue
            self._record(tx, operator, 0)
            return found

    def verify_log(
        self, operator: str, domain_id: bytes, key_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Writer keys of a domain's mail log; what does not open is missing."""
        with self._agent.lock, self._agent.db.write() as tx:
            self._record(tx, operator, 0)
            found: dict[bytes, bytes] = {}
            for key_id in key_ids:
                try:
                    found |= self._agent.log_keys(tx, domain_id, [key_id])
                except SealBroken:
                    continue
            return found

    def verify_held(
        self, operator: str, hold_id: bytes, entry_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Content keys of entries under a legal hold; what does not open is missing."""
        with self._agent.lock, self._agent.db.write() as tx:
            wanted = HeldEntry.hold_id == hold_id, HeldEntry.entry_id.in_(entry_ids)
            rows = list(tx.scalars(select(HeldEntry).where(*wanted)))
            self._record(tx, operator, len(rows))
            return self._agent.holder.content_keys(rows)

    def known_holds(self) -> dict[bytes, HoldFacts | None]:
        """The holds whose keys there are, and what is known of them; no key is handed out."""
        with self._agent.lock:
            keyring = self._agent.keyring
            return {one: keyring.hold_facts.get(one) for one in keyring.holds}

    def broken_day_keys(self, key_ids: Sequence[bytes]) -> list[bytes]:
        """Those day keys that do not open although their day is not over."""
        with self._agent.lock, self._agent.db.read() as tx:
            rows = tx.scalars(select(DayKey).where(DayKey.id.in_(key_ids)))
            return [row.id for row in rows if not self._opens(row)]

    def broken_writer_keys(self, key_ids: Sequence[bytes]) -> list[bytes]:
        """Those writer keys that do not open although their day is not over."""
        with self._agent.lock, self._agent.db.read() as tx:
            there = list(tx.scalars(select(WriterKey.id).where(WriterKey.id.in_(key_ids))))
            return [one for one in there if not self._writer_opens(tx, one)]

    def recover_slots(
        self, operator: str, slots: Sequence[tuple[MessageFrame, Slot]]
    ) -> dict[bytes, tuple[date, bytes]]:
        """Content keys of slots that have no row, with the day of their key; for a rebuild."""
        found: dict[bytes, tuple[date, bytes]] = {}
        with self._agent.lock, self._agent.db.write() as tx:
            self._record(tx, operator, len(slots))
            for frame, slot in slots:
                of_key = WriterKey.id == slot.writer_key_id
                day = tx.scalar(select(DayKey.day).join(WriterKey).where(of_key))
                series = "mailbag" if slot.kind in QUEUE_SLOTS else "mail"
                owner = Owner(series, frame.tenant_id, slot.owner_id)
                ids, box = (frame.message_id, slot.id), (slot.writer_key_id, slot.wrap)
                try:
                    if day is not None:
                        key = self._agent.opener.content_key(tx, owner, day, ids, box)
                        found[slot.id] = day, key
                except (KeysMissing, SealBroken):
                    continue
        return found

    def recover_names(self, operator: str, frames: Sequence[KeyFrame]) -> dict[bytes, str]:
        """The addresses of the mailboxes that key frames are of; for a rebuild."""
        found: dict[bytes, str] = {}
        with self._agent.lock, self._agent.db.write() as tx:
            self._record(tx, operator, 0)
            for frame in frames:
                owner = Owner(frame.series, frame.tenant_id, frame.owner_id)
                try:
                    key = self._agent.opener.writer_key(tx, owner, frame.writer_key_id)
                    found[frame.owner_id] = open_name(self._agent.keyring.installation, frame, key)
                except (KeysMissing, SealBroken):
                    continue
        return found

    def _opens(self, row: DayKey) -> bool:
        try:
            return self._agent.opener.day_key_opens(row)
        except KeysMissing:
            return True  # its day is over: nothing opens it, and nothing has to

    def _writer_opens(self, tx: Session, key_id: bytes) -> bool:
        try:
            return self._agent.opener.writer_key_opens(tx, key_id)
        except KeysMissing:
            return True

    def _record(self, tx: Session, operator: str, entries: int) -> None:
        event = events.StoreChecked(entries=entries)
        actor, at = Actor.command_line(operator), self._agent.now()
        audit.record(tx, event, trail=audit.INSTALLATION, actor=actor, at=at)
