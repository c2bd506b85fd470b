"""The outbox: what somebody pressed Send for and can still take back.

Such a mail is an entry of its writer's own mailbox in the folder OUTBOX, sealed like a draft, and
an item of the mailbag of kind "pending", which becomes due when the mail is to leave. Nobody else
has anything of it. It ends in one transaction, either way: `posting` sends it, or it is taken
back and becomes a draft. Both change the item first, so that they wait for each other and the
second one finds that it came too late.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import audit
from app.audit.events import MessageTakenBack
from app.delivery import queue
from app.models import QueueItem
from app.reading.finding import read_id
from app.sending.addressees import Addressee
from app.sending.draft_mail import Written, encode
from app.viewer import Viewer
from app.views import Row, Scheduled
from archive_store import ids
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.envelope import Envelope
from archive_store.models import OUTBOX, Entry, Message
from archive_store.reader import frame_ref
from archive_store.sealing import Copy, Incoming, Relay
from archive_store.segments import KeySlot, SegmentStore
from archive_store.segments.frame import wrap_position

DRAFTS = "drafts"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxParts:
    """What the outbox is made of. `rows`: the rows of a viewer's entries in it."""

    db: Database
    segments: SegmentStore
    rows: Callable[[Viewer], Sequence[Row]]
    now: Callable[[], datetime] = field(default=utc_now)


class Outbox:
    """The use cases of what is to be sent. Safe to share between threads."""

    def __init__(self, parts: OutboxParts) -> None:
        self._parts = parts

    def scheduled(self, viewer: Viewer) -> tuple[Scheduled, ...]:
        """What the viewer can still take back, what leaves first first."""
        rows = {row.id: row for row in self._parts.rows(viewer)}
        with self._parts.db.read() as tx:
            of_rows = QueueItem.entry_id.in_([ids.read(one) for one in rows])
            items = tx.scalars(select(QueueItem).where(of_rows, *_WAITING)).all()
        found = [
            Scheduled(row=rows[ids.show(item.entry_id)], leaves_at=item.next_attempt_at)
            for item in items
            if item.entry_id is not None
        ]
        return tuple(sorted(found, key=lambda one: one.leaves_at))

    def take_back(self, viewer: Viewer, entry_id: str) -> bool:
        """Make it a draft again; False when it is not there any more: it was sent."""
        now = self._parts.now()
        with self._parts.db.write() as tx:
            found = _locked(tx, viewer, entry_id)
            if found is None:
                return False
            item, entry = found
            tx.execute(
                update(QueueItem)
                .where(QueueItem.id == item.id)
                .values(**queue.ended_as(queue.DROPPED, now))
            )
            entry.folder = DRAFTS
            # Before the commit, see `deletion`: a key that no row remembers must not stay.
            self._parts.segments.erase(item_slots(tx, item))
            event = MessageTakenBack(mailbox_id=entry.mailbox_id, entry_id=entry.id)
            audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=now)
        return True

    def send_now(self, viewer: Viewer, entry_id: str) -> bool:
        """Let it leave at once; False when it is not there any more."""
        with self._parts.db.write() as tx:
            found = _locked(tx, viewer, entry_id)
            if found is None:
                return False
            due = update(QueueItem).where(QueueItem.id == found[0].id)
            tx.execute(due.values(next_attempt_at=self._parts.now()))
        return True


_WAITING = (QueueItem.kind == queue.PENDING, QueueItem.state == queue.QUEUED)


def pending(written: Written, sender: Addressee, viewer: Viewer, leaves_at: datetime) -> Incoming:
    """What is stored of a mail that leaves later; the viewer has a mailbox and a domain."""
    now, mailbox_id, tenant_id = utc_now(), viewer.mailbox_id, viewer.user.domain_id
    if mailbox_id is None or tenant_id is None:
        raise ValueError("nobody to send as")
    envelope = Envelope(sender.wire, sender.wire, protocol="web", smtputf8=sender.needs_smtputf8)
    # A report of failure goes here, with the header: the identity may be another's by then.
    own = viewer.user.address
    reported = Envelope(own, own, protocol="web", smtputf8=not own.isascii())
    return Incoming(
        tenant_id,
        encode(written, sender, now),
        now,
        (Copy(mailbox_id, envelope, folder=OUTBOX, seen=True),),
        (Relay(queue.PENDING, reported, not_before=leaves_at, mailbox_id=mailbox_id),),
    )


def item_slots(tx: Session, item: QueueItem) -> list[KeySlot]:
    """The slot of an item's key."""
    message = tx.get(Message, item.message_id)
    return [KeySlot(frame_ref(message), wrap_position(item.slot))] if message else []


def _locked(tx: Session, viewer: Viewer, entry_id: str) -> tuple[QueueItem, Entry] | None:
    """The item and the entry while they are still to be sent, nobody else changing them."""
    wanted = select(QueueItem).where(QueueItem.entry_id == read_id(entry_id), *_WAITING)
    item = tx.scalars(wanted.with_for_update()).first()
    if item is None:
        return None
    mine = (Entry.id == item.entry_id, Entry.mailbox_id == viewer.mailbox_id)
    entry = tx.scalars(select(Entry).where(*mine, Entry.folder == OUTBOX).with_for_update()).first()
    return (item, entry) if entry is not None else None
