"""Who is told that a mail is still on its way (RFC 3461 section 4.1: NOTIFY=DELAY).

Only whoever asked for it, once, and only of mail that nobody has read or answered in LiveArchive:
to hear that a mail is late while its recipient is answering it helps nobody.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from app.delivery.queue import PRIMARY
from app.models import QueueItem
from archive_store.db import Database
from archive_store.envelope import Envelope
from archive_store.models import Entry

AFTER = timedelta(hours=4)


def is_late(item: QueueItem, envelope: Envelope | None, now: datetime) -> bool:
    """Whether the sender wants to hear of it by now, and has not yet."""
    if envelope is None or envelope.dsn is None or item.kind != PRIMARY:
        return False
    untold = item.told_at is None and now - item.queued_at >= AFTER
    return untold and envelope.dsn.of_delay and bool(envelope.mail_from)


def unnoticed(db: Database, items: Sequence[QueueItem]) -> set[bytes]:
    """The ids of those whose mail nobody has looked at here, or could. Raises StoreError."""
    entry_ids = [item.entry_id for item in items if item.entry_id is not None]
    unread = Entry.seen.is_(False), Entry.answered.is_(False), Entry.forwarded.is_(False)
    with db.read() as tx:
        found = set(tx.scalars(select(Entry.id).where(Entry.id.in_(entry_ids), *unread)))
    return {item.id for item in items if item.entry_id is None or item.entry_id in found}
