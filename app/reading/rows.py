"""What a list shows of an entry. Pure."""

from app.file_views import FileState
from app.reading.finding import EntryLine
from app.views import Row
from archive_store import ids
from archive_store.errors import SealBroken
from archive_store.indexing import IndexedSummary
from archive_store.mime.summary import Summary
from archive_store.summary_scan import OpenedSummary

ARRIVING = Summary(
    sender_name="New message",
    subject="It has just arrived; sender and subject follow in a moment",
)
"""Stands for what the index role has not got to: a second, while it runs."""

BROKEN = Summary(
    sender_name="A message",
    subject="It is kept, but cannot be shown in the list",
    unreadable=True,
)
"""Stands for a summary that is lost or does not open; the message itself may still."""


def parsed(opened: OpenedSummary | None) -> IndexedSummary | None:
    """A summary off the shelf; None when there is none, or when it is no summary."""
    try:
        return opened.parse() if opened is not None else None
    except SealBroken:
        return None


def row(line: EntryLine, indexed: IndexedSummary | None, *, only_here: bool) -> Row:
    """One row; `indexed` is None when there is no summary to be had."""
    if indexed is None:
        summary, sent_to = (BROKEN if line.indexed else ARRIVING), ""
    else:
        summary, sent_to = indexed.summary, indexed.sent_to
    return Row(
        id=ids.show(line.id),
        sender_name=summary.sender_name,
        sender_address=summary.sender_address,
        subject=summary.subject,
        preview=summary.preview,
        received_at=line.received_at,
        seen=line.seen,
        answered=line.answered,
        forwarded=line.forwarded,
        starred=line.starred,
        has_attachments=line.attachments,
        only_here=only_here,
        sent_to=sent_to,
        size=line.size,
        unreadable=summary.unreadable,
        folder=line.folder,
        infected=line.scan == FileState.INFECTED,
        to=summary.to,
    )
