"""Verdicts as they are kept: in clear, with each entry that shares the message.

They say of a message that it is infected and by which signature, and nothing of its words. Who can
write to the database can take a mark away, as with any flag, and then has a file opened that would
have been opened had there been no clamd.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import audit
from app.audit.events import InfectedMailFound
from app.file_views import FileState
from app.scanning.scanner import Verdict
from app.viewer import Actor
from archive_store.models import Entry, Mailbox


def keep(tx: Session, message_id: bytes, verdict: Verdict, role: str, now: datetime) -> None:
    """Write a verdict down; an event for each mailbox in which the message is newly infected."""
    theirs = Entry.message_id == message_id
    columns = (Entry.id, Entry.mailbox_id, Entry.scan, Mailbox.tenant_id)
    query = select(*columns).join(Mailbox, Mailbox.id == Entry.mailbox_id).where(theirs)
    entries = tx.execute(query).all()
    values = {"scan": verdict.state, "scan_found": verdict.found, "scan_by": verdict.by}
    tx.execute(update(Entry).where(theirs).values(**values))
    for entry_id, mailbox_id, before, tenant_id in entries:
        if verdict.state is FileState.INFECTED and before != FileState.INFECTED:
            event = InfectedMailFound(
                mailbox_id=mailbox_id, entry_id=entry_id, signature=verdict.found
            )
            audit.record(tx, event, trail=tenant_id, actor=Actor.system(role), at=now)
