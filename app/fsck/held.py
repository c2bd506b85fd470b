"""Mail under a legal hold: each held entry is opened with its hold's key."""

from collections.abc import Sequence

from sqlalchemy import select

from app.fsck.findings import Findings, Problem, Wrong
from app.fsck.ports import Store, in_batches
from app.models import Hold
from archive_store import ids
from archive_store.errors import FrameBroken, NotFound, SealBroken
from archive_store.held import HeldReader
from archive_store.models import HeldEntry


class HeldCheck:
    """Checks what holds keep that were not released."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reader = HeldReader(store.db, store.reader, store.holds)

    def check(self) -> Findings:
        """Every held entry that opened when it came under its hold."""
        found = Findings()
        with self._store.db.read() as tx:
            active = list(tx.scalars(select(Hold.id).where(Hold.released_at.is_(None))))
        for hold_id in active:
            theirs = HeldEntry.hold_id == hold_id, HeldEntry.wrap != b""
            with self._store.db.read() as tx:
                wanted = list(tx.scalars(select(HeldEntry.entry_id).where(*theirs)))
            for some in in_batches(wanted):
                self._check(hold_id, some, found)
        return found

    def _check(self, hold_id: bytes, some: Sequence[bytes], found: Findings) -> None:
        keys = self._store.keys.verify_held(self._store.operator, hold_id, some)
        for entry_id in some:
            with self._store.db.read() as tx:
                held = tx.get(HeldEntry, (hold_id, entry_id))
            if held is None:
                continue  # released meanwhile
            found.held += 1
            if not self._opens(held, keys.get(entry_id)):
                names = f"hold {ids.show(hold_id)}: message {ids.show(entry_id)} does not open"
                found.problems.append(Problem(Wrong.HELD, names))

    def _opens(self, held: HeldEntry, key: bytes | None) -> bool:
        if key is None:
            return False
        try:
            self._reader.open(held, key)
            self._reader.envelope(held, key)
        except (SealBroken, FrameBroken, NotFound):
            return False
        return True
