"""Final deletes are done again where a backup or a rolled back disk brought their entries back.

Before anybody may read: whoever serves keys calls this first. In ordinary life it finds
nothing but deletes that a crash cut short, and touches no segment.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app import audit
from app.audit import events
from app.viewer import Actor
from archive_store.db import Database
from archive_store.deletion import delete_entries, key_slots
from archive_store.errors import StoreBusy
from archive_store.models import Entry, Mailbox
from archive_store.segments import SegmentStore
from archive_store.tombstones import Tombstones

log = logging.getLogger(__name__)
_AT_ONCE = 500


def replay_deletions(
    db: Database, segments: SegmentStore, tombstones: Tombstones, now: datetime
) -> int:
    """Delete for good what was deleted for good before; says how many entries were back."""
    buried = [stone.entry_id for stone in tombstones.read()]
    batches = (buried[at : at + _AT_ONCE] for at in range(0, len(buried), _AT_ONCE))
    count = sum(_bury(db, segments, some, now) for some in batches)
    if count:
        db.checkpoint()
        log.warning("%d entries that had been deleted for good were deleted again", count)
    return count


def _bury(db: Database, segments: SegmentStore, some: Sequence[bytes], now: datetime) -> int:
    back = select(Entry).where(Entry.id.in_(some))
    with db.read() as tx:
        slots = key_slots(tx, list(tx.scalars(back)))
    try:
        segments.erase(slots)  # before the rows, see `deletion`
    except StoreBusy as error:
        # The keys role need not reach the object store. What can be read goes in any case.
        log.warning("keys of deleted entries stay in the segments until `fsck --repair`: %s", error)
    with db.write() as tx:
        entries = list(tx.scalars(back))
        trails = {box.id: box.tenant_id for box in tx.scalars(select(Mailbox))} if entries else {}
        for entry in entries:
            event = events.MessageDeleted(
                mailbox_id=entry.mailbox_id, entry_id=entry.id, for_good=True
            )
            trail, actor = trails[entry.mailbox_id], Actor.system("keys")
            audit.record(tx, event, trail=trail, actor=actor, at=now)
        delete_entries(tx, entries)
    return len(entries)
