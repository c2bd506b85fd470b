"""What people do with the queue: look, flush, hold, release, drop.

Use cases: each but `drop` takes the open transaction, never commits, and records its audit
event inside it. `domain_id` limits them to one domain's items (None: the whole installation,
for an operator); what lies outside is NotFound. Senders and recipients are sealed, and
`sealed.open_envelope` shows them to whoever gets the item's content key.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from app.audit import record
from app.audit.events import QueueDropped, QueueFlushed, QueueHeld
from app.delivery import queue
from app.models import Domain, ImapAccess, QueueItem
from app.phrase import phrase
from app.viewer import Actor
from app.views import BadEntry
from archive_store.db import Database
from archive_store.errors import NotFound
from archive_store.models import Message
from archive_store.reader import frame_ref
from archive_store.segments import KeySlot, SegmentStore
from archive_store.segments.frame import wrap_position


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One item as the disk knows it; `size` is 0 once the octets have left."""

    item: QueueItem
    domain: Domain
    size: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much has not reached its server yet, and since when the oldest waits."""

    messages: int
    octets: int
    oldest: datetime | None


def list_items(
    tx: Session,
    domain_id: bytes | None,
    *,
    states: tuple[str, ...] = queue.WAITING,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[QueueRow], int]:
    """A page of items, the oldest first, and how many there are in all."""
    wanted = [QueueItem.state.in_(states), *_within(domain_id)]
    total = tx.scalar(select(func.count()).select_from(QueueItem).where(*wanted)) or 0
    page = (
        select(QueueItem, Domain, Message.size)
        .join(Domain, Domain.id == QueueItem.domain_id)
        .outerjoin(Message, Message.id == QueueItem.message_id)
        .where(*wanted)
        .order_by(QueueItem.queued_at, QueueItem.id)
        .limit(limit)
        .offset(offset)
    )
    return [QueueRow(item, domain, size or 0) for item, domain, size in tx.execute(page)], total


def waiting(tx: Session, domain_id: bytes | None, kind: str | None = None) -> Waiting:
    """Sum up what waits; a message to several recipients counts once."""
    wanted = [QueueItem.state.in_(queue.WAITING), *_within(domain_id)]
    if kind is not None:
        wanted.append(QueueItem.kind == kind)
    oldest = tx.scalar(select(func.min(QueueItem.queued_at)).where(*wanted))
    messages = select(QueueItem.message_id).where(*wanted).distinct()
    sums = select(func.count(), func.sum(Message.size)).where(Message.id.in_(messages))
    count, octets = tx.execute(sums).one()
    return Waiting(count, int(octets or 0), oldest)


def flush(tx: Session, actor: Actor, domain_id: bytes | None, now: datetime) -> int:
    """Try everything now that waits for a retry, at IMAP servers that are left alone after refused
    log-ins, too; how many items that is.
    """
    domains = select(Domain).order_by(Domain.name)
    if domain_id is not None:
        domains = domains.where(Domain.id == domain_id)
    found = list(tx.scalars(domains))
    if domain_id is not None and not found:
        raise NotFound("no such domain")
    flushed = {domain: queue.due_now(tx, now, domain_id=domain.id) for domain in found}
    named = ImapAccess.domain_id.in_([domain.id for domain in found])
    # Not the count of refusals: one more log-in, and it is left alone again.
    tx.execute(update(ImapAccess).where(named).values(rests_until=None))
    for domain, count in flushed.items():
        if count or domain_id is not None:
            event = QueueFlushed(domain=domain.name, count=count)
            record(tx, event, trail=domain.id, actor=actor, at=now)
    return sum(flushed.values())


def hold(
    tx: Session, actor: Actor, item_id: bytes, now: datetime, *, domain_id: bytes | None
) -> None:
    """Keep an item back until it is released; it still leaves with its days."""
    item = _change(tx, item_id, domain_id, (queue.QUEUED,), {"state": queue.HELD})
    record(tx, QueueHeld(item_id=item_id), trail=item.domain_id, actor=actor, at=now)


def release(
    tx: Session, actor: Actor, item_id: bytes, now: datetime, *, domain_id: bytes | None
) -> None:
    """Let a held item go, now."""
    changes = {"state": queue.QUEUED, "next_attempt_at": now}
    item = _change(tx, item_id, domain_id, (queue.HELD,), changes)
    domain = tx.get_one(Domain, item.domain_id)
    event = QueueFlushed(domain=domain.name, count=1)
    record(tx, event, trail=domain.id, actor=actor, at=now)


def held_items(tx: Session) -> list[bytes]:
    """What is held, the oldest first."""
    held = select(QueueItem.id).where(QueueItem.state == queue.HELD)
    return list(tx.scalars(held.order_by(QueueItem.queued_at, QueueItem.id)))


def drop(
    db: Database,
    segments: SegmentStore,
    actor: Actor,
    item_id: bytes,
    now: datetime,
    *,
    domain_id: bytes | None,
) -> None:
    """Never deliver an item, and tell nobody. Copies in mailboxes stay.

    It has transactions of its own, since no file is written inside of one. The key in the
    segment goes first: one that stays there while no row remembers it would bring the item
    back with a rebuild. A crash in between leaves an item that opens by its row, and can be
    delivered or dropped again.
    """
    states = (queue.QUEUED, queue.HELD, queue.FAILED)
    with db.read() as tx:
        item = _find(tx, item_id, domain_id, states)
        message = tx.get(Message, item.message_id)
    if message is not None:
        segments.erase([KeySlot(frame_ref(message), wrap_position(item.slot))])
    with db.write() as tx:
        # A worker may have taken it meanwhile: it goes on by the row, and this is refused.
        item = _change(tx, item_id, domain_id, states, queue.ended_as(queue.DROPPED, now))
        record(tx, QueueDropped(item_id=item_id), trail=item.domain_id, actor=actor, at=now)


def _within(domain_id: bytes | None) -> list[ColumnElement[bool]]:
    """What a person may still take back is that person's, and nobody else's to look after."""
    mailbag = QueueItem.kind != queue.PENDING
    return [mailbag] if domain_id is None else [mailbag, QueueItem.domain_id == domain_id]


def _change(
    tx: Session,
    item_id: bytes,
    domain_id: bytes | None,
    states: tuple[str, ...],
    changes: dict[str, object],
) -> QueueItem:
    """Change an item that is in one of these states; a worker may take it at any moment."""
    item = _find(tx, item_id, domain_id, states)
    tx.execute(update(QueueItem).where(QueueItem.id == item_id).values(**changes))
    return item


def _find(
    tx: Session, item_id: bytes, domain_id: bytes | None, states: tuple[str, ...]
) -> QueueItem:
    mine = [QueueItem.id == item_id, *_within(domain_id)]
    item = tx.scalars(select(QueueItem).where(*mine).with_for_update()).first()
    if item is None:
        raise NotFound("no such item")
    if item.state == queue.LEASED:
        raise BadEntry("item", phrase("This mail is being delivered at this moment."))
    if item.state not in states:
        raise BadEntry("item", phrase("This mail is in another state by now."))
    return item
