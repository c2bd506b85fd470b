"""The final delete of an entry: its key goes, and with it the entry's way to the octets.

An entry's key lies in two places: in its row, and in its slot of the message's frame,
from which an index can be rebuilt. The slot is erased first and the row deleted after
it: a crash in between leaves an entry that can still be read and deleted again, where
the other order would leave a key that nothing remembers. Then SQLite's write-ahead log
is emptied (`Database.checkpoint`), since it holds older copies of the pages.

The sealed octets stay until their day is over: other recipients have keys of their own,
and so has a queue item that still waits. On PostgreSQL a deleted row's octets stay in
the table's pages until they are vacuumed and written over, at the latest until the
day's key is destroyed. The same holds for older copies of the data anywhere.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from archive_store.models import Entry, EntryIndex, Message
from archive_store.reader import frame_ref
from archive_store.segments import KeySlot
from archive_store.segments.frame import wrap_position


def key_slots(tx: Session, entries: Sequence[Entry]) -> list[KeySlot]:
    """The slots of these entries' keys."""
    of_messages = select(Message).where(Message.id.in_({entry.message_id for entry in entries}))
    messages = {message.id: message for message in tx.scalars(of_messages)}
    return [
        KeySlot(frame_ref(messages[entry.message_id]), wrap_position(entry.slot))
        for entry in entries
    ]


def delete_entries(tx: Session, entries: Sequence[Entry]) -> None:
    """Delete the rows: the keys in them, the summaries and the words."""
    seqs = [entry.seq for entry in entries]
    tx.execute(delete(EntryIndex).where(EntryIndex.entry_seq.in_(seqs)))
    tx.execute(delete(Entry).where(Entry.seq.in_(seqs)))
