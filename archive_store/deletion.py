"""The final delete of an entry: its key goes, and with it the entry's way to the octets.

An entry's key lies in two places: in its row, and in its slot of the message's frame,
from which an index can be rebuilt. The slot is erased first and the row deleted after
it: a crash in between leaves an entry that can still be read and deleted again, where
the other order would leave a key that nothing remembers. Where a delete belongs to a
transaction that may fail, that puts the entry aside (`put_aside`), and `finish` does both
after it. Then SQLite's write-ahead log is emptied (`Database.checkpoint`), since it holds
older copies of the pages.

The sealed octets stay until their day is over: other recipients have keys of their own,
and so has a queue item that still waits. On PostgreSQL a deleted row's octets stay in
the table's pages until they are vacuumed and written over, at the latest until the
day's key is destroyed. The same holds for older copies of the data anywhere.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from archive_store.db import Database
from archive_store.models import GONE, Entry, EntryIndex, Message
from archive_store.reader import frame_ref
from archive_store.segments import KeySlot, SegmentStore
from archive_store.segments.frame import wrap_position


def key_slots(tx: Session, entries: Sequence[Entry]) -> list[KeySlot]:
    """The slots of these entries' keys."""
    of_messages = select(Message).where(Message.id.in_({entry.message_id for entry in entries}))
    messages = {message.id: message for message in tx.scalars(of_messages)}
    return [
        KeySlot(frame_ref(messages[entry.message_id]), wrap_position(entry.slot))
        for entry in entries
    ]


def put_aside(entries: Sequence[Entry]) -> None:
    """Decide in a transaction that entries go: nobody sees them any more, `finish` ends them."""
    for entry in entries:
        entry.folder = GONE


def finish(db: Database, segments: SegmentStore, mailbox_id: bytes | None = None) -> list[int]:
    """Erase and delete what was put aside, of one mailbox or of all; safe to repeat.

    Says the numbers of the entries. After an error they are still there, and unseen.
    """
    aside = [Entry.folder == GONE]
    if mailbox_id is not None:
        aside.append(Entry.mailbox_id == mailbox_id)
    with db.read() as tx:
        entries = list(tx.scalars(select(Entry).where(*aside)))
        slots = key_slots(tx, entries)
    if entries:
        segments.erase(slots)
        with db.write() as tx:
            delete_entries(tx, entries)
    return [entry.seq for entry in entries]


def delete_entries(tx: Session, entries: Sequence[Entry]) -> None:
    """Delete the rows: the keys in them, the summaries and the words."""
    seqs = [entry.seq for entry in entries]
    tx.execute(delete(EntryIndex).where(EntryIndex.entry_seq.in_(seqs)))
    tx.execute(delete(Entry).where(Entry.seq.in_(seqs)))
