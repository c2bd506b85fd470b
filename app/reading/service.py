"""`Reading`: what the pages may do with a person's own mail.

Each method is one use case with its own transactions. What an id does not name, or names
for somebody else, raises NotFound. A message whose sealed octets are damaged is shown as
just that: the list and its other messages stay usable.
"""

from collections.abc import Sequence

from app.reading import filing, finding
from app.reading.conversations import Conversations
from app.reading.enclosed import Enclosed
from app.reading.people import People
from app.reading.previews import Previews
from app.viewer import Viewer
from archive_store import deletion


class Reading(Conversations, Enclosed, Previews, People):
    """The use cases of the mail pages. Safe to share between threads."""

    def move(self, viewer: Viewer, ids: Sequence[str], folder: str) -> None:
        """Put messages into another folder."""
        with self._db.write() as tx:
            entries = finding.find(tx, self._window(viewer), ids)
            filing.move(tx, viewer, entries, folder, self._now())

    def restore(self, viewer: Viewer, ids: Sequence[str]) -> None:
        """Put messages from the trash back where they came from."""
        with self._db.write() as tx:
            entries = finding.find(tx, self._window(viewer), ids)
            filing.restore(tx, viewer, entries, self._now())

    def mark(
        self,
        viewer: Viewer,
        ids: Sequence[str],
        *,
        seen: bool | None = None,
        starred: bool | None = None,
    ) -> None:
        """Mark messages as read or unread, with a star or without."""
        with self._db.write() as tx:
            entries = finding.find(tx, self._window(viewer), ids)
            filing.mark(tx, entries, seen=seen, starred=starred)

    def delete(self, viewer: Viewer, ids: Sequence[str]) -> None:
        """Put messages into the trash; those that lie there go for good, with their keys."""
        window = self._window(viewer)
        with self._db.read() as tx:
            entries = finding.find(tx, window, ids)
            final = [entry for entry in entries if entry.folder == finding.TRASH]
            slots = deletion.key_slots(tx, final)
        if final:
            # First of all: a backup of today that is brought back tomorrow knows nothing of it.
            self._keys.bury_entries(viewer.token, [entry.id for entry in final])
        # Before the rows, see `deletion`; and outside of the transaction, since each slot
        # waits for the disk and a write transaction holds up the mail that comes in.
        self._reader.segments.erase(slots)
        doomed = {entry.id for entry in final}
        with self._db.write() as tx:
            there = finding.find(tx, window, ids)
            gone = [entry for entry in there if entry.id in doomed]
            filing.trash(tx, viewer, [e for e in there if e.id not in doomed], self._now())
            filing.record_deleted(tx, viewer, gone, self._now())
            deletion.delete_entries(tx, gone)
        if gone:
            self.forget_entries([entry.seq for entry in gone])
            self._db.checkpoint()
