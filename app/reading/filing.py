"""What a person does with messages in lists: move, delete, restore, mark.

Each takes the open transaction, never commits, and records its audit events inside it.
All of the messages are changed or, when one of them is not the viewer's, none.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from app import audit
from app.audit.events import Event, MessageDeleted, MessageMoved
from app.reading.finding import TRASH
from app.viewer import Viewer
from archive_store.errors import NotFound
from archive_store.models import FOLDERS, Entry

INBOX, DRAFTS = "inbox", "drafts"


def move(tx: Session, viewer: Viewer, entries: Sequence[Entry], folder: str, now: datetime) -> None:
    """Put messages into a folder; only writing makes a draft."""
    if folder == TRASH:
        trash(tx, viewer, entries, now)
        return
    if folder not in FOLDERS or folder == DRAFTS:
        raise NotFound("no such folder")
    for entry in entries:
        if entry.folder != folder:
            _put(entry, folder)
            _record(tx, viewer, _moved(entry), now)


def trash(tx: Session, viewer: Viewer, entries: Sequence[Entry], now: datetime) -> None:
    """Put messages into the trash; they remember where they came from."""
    for entry in entries:
        if entry.folder != TRASH:
            came_from = entry.folder
            _put(entry, TRASH)
            entry.trashed_from = came_from
            _record(tx, viewer, deleted(entry, for_good=False), now)


def restore(tx: Session, viewer: Viewer, entries: Sequence[Entry], now: datetime) -> None:
    """Put messages from the trash back where they came from."""
    for entry in entries:
        if entry.folder == TRASH:
            _put(entry, entry.trashed_from or INBOX)
            _record(tx, viewer, _moved(entry), now)


def mark(
    tx: Session, entries: Sequence[Entry], *, seen: bool | None = None, starred: bool | None = None
) -> None:
    """Set flags. They say nothing of what anybody did with the mail: no audit event."""
    wanted = {"seen": seen, "starred": starred}
    values = {name: value for name, value in wanted.items() if value is not None}
    if values:
        seqs = [entry.seq for entry in entries]
        tx.execute(update(Entry).where(Entry.seq.in_(seqs)).values(**values))


def record_deleted(tx: Session, viewer: Viewer, entries: Sequence[Entry], now: datetime) -> None:
    """The events of a final delete."""
    for entry in entries:
        _record(tx, viewer, deleted(entry, for_good=True), now)


def deleted(entry: Entry, *, for_good: bool) -> Event:
    return MessageDeleted(mailbox_id=entry.mailbox_id, entry_id=entry.id, for_good=for_good)


def _moved(entry: Entry) -> Event:
    return MessageMoved(mailbox_id=entry.mailbox_id, entry_id=entry.id, folder=entry.folder)


def _put(entry: Entry, folder: str) -> None:
    entry.folder = folder
    entry.trashed_from = ""


def _record(tx: Session, viewer: Viewer, event: Event, now: datetime) -> None:
    audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=now)
