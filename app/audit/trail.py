"""Writing the trails: `record` adds one event inside the caller's transaction.

Entries of a trail have numbers without a gap and each names the hash of the one before.
The head row of the trail is locked while it grows, so two processes cannot both write
number 8: PostgreSQL waits at the row, SQLite has one writer anyway. When the transaction
is rolled back the entry has never been. Record last in a transaction: the lock is held
to its end.

`check` proves a trail against its own hashes in the database and raises `AuditBroken`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.canonical import (
    AuditEntry,
    NotCanonical,
    decode,
    details_of,
    encode,
    entry_hash,
    genesis,
)
from app.audit.events import Event
from app.models import AuditEvent, AuditHead
from app.upsert import insert_if_absent
from app.viewer import Actor

INSTALLATION = bytes(16)
"""The trail of what belongs to no domain. No domain has this id: ids are random."""

BATCH = 500
"""How many entries a proof holds in memory at once."""


class AuditBroken(Exception):
    """Entry `seq` of a trail is missing, out of place or not what was written."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(f"audit entry {seq}: {reason}")
        self.seq = seq
        self.reason = reason


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry with the octets that are its truth."""

    entry: AuditEntry
    octets: bytes
    hash: bytes


def record(tx: Session, event: Event, *, trail: bytes | None, actor: Actor, at: datetime) -> int:
    """Add an event to the trail of a domain (None: the installation's); return its number."""
    trail = trail or INSTALLATION
    head = _locked_head(tx, trail)
    entry = AuditEntry(
        trail=trail,
        seq=head.seq + 1,
        prev=head.hash,
        at=at,
        event=event.name,
        actor=actor,
        details=details_of(event),
    )
    octets = encode(entry)
    head.seq = entry.seq
    head.hash = entry_hash(octets)
    tx.add(
        AuditEvent(
            trail=trail,
            seq=entry.seq,
            at=at,
            kind=entry.event,
            actor_id=actor.user_id,
            octets=octets,
            hash=head.hash,
        )
    )
    tx.flush()
    return entry.seq


def head_of(tx: Session, trail: bytes) -> tuple[int, bytes]:
    """Number and hash of the newest entry; 0 and the genesis of an empty trail."""
    head = tx.get(AuditHead, trail)
    return (head.seq, head.hash) if head else (0, genesis(trail))


def stored_entries(
    tx: Session, trail: bytes, first: int, last: int, prev: bytes
) -> Iterator[StoredEntry]:
    """The entries `first` to `last`, each proved to follow the one before; or AuditBroken."""
    for seq in range(first, last + 1, BATCH):
        end = min(seq + BATCH - 1, last)
        # In batches by number, not by a server-side cursor: one of those stays open
        # when the reader stops half-way.
        batch = tx.scalars(
            select(AuditEvent)
            .where(AuditEvent.trail == trail, AuditEvent.seq.between(seq, end))
            .order_by(AuditEvent.seq)
        ).all()
        for expected, row in enumerate(batch, seq):
            stored = _proved(row, trail, expected, prev)
            yield stored
            prev = stored.hash
        if len(batch) != end - seq + 1:
            raise AuditBroken(seq + len(batch), "is missing")


def check(tx: Session, trail: bytes | None) -> int:
    """Prove a whole trail; return how many entries it has, or raise AuditBroken."""
    trail = trail or INSTALLATION
    count, head = head_of(tx, trail)
    newest = genesis(trail)
    for stored in stored_entries(tx, trail, 1, count, newest):
        newest = stored.hash
    if newest != head:
        raise AuditBroken(count, "is not the head of the trail")
    beyond = select(AuditEvent.seq).where(AuditEvent.trail == trail, AuditEvent.seq > count)
    if extra := tx.scalars(beyond.limit(1)).first():
        raise AuditBroken(extra, "stands after the head of the trail")
    return count


def _locked_head(tx: Session, trail: bytes) -> AuditHead:
    locked = select(AuditHead).where(AuditHead.trail == trail).with_for_update()
    # populate_existing: a copy that this session read earlier may be out of date.
    locked = locked.execution_options(populate_existing=True)
    if head := tx.scalars(locked).first():
        return head
    # The first event of a trail makes its head; two processes may both try.
    insert_if_absent(tx, AuditHead, trail=trail, seq=0, hash=genesis(trail))
    return tx.scalars(locked).one()


def _proved(row: AuditEvent, trail: bytes, seq: int, prev: bytes) -> StoredEntry:
    if row.seq != seq:
        raise AuditBroken(seq, "is missing")
    try:
        entry = decode(row.octets)
    except NotCanonical as error:
        raise AuditBroken(seq, str(error)) from error
    if (entry.trail, entry.seq) != (trail, seq):
        raise AuditBroken(seq, "belongs elsewhere")
    if entry.prev != prev:
        raise AuditBroken(seq, "does not follow the entry before")
    if entry_hash(row.octets) != row.hash:
        raise AuditBroken(seq, "has another hash")
    if (entry.at, entry.event, entry.actor.user_id) != (row.at, row.kind, row.actor_id):
        raise AuditBroken(seq, "is listed as something else")
    return StoredEntry(entry, row.octets, row.hash)
