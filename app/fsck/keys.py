"""Key rows: each opens, each is signed, and each says what its key frame says."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Executable, delete, select, update
from sqlalchemy.orm import Session

from app.fsck import rows_of
from app.fsck.findings import Findings, Mend, Mended, Problem, Wrong
from app.fsck.ports import BATCH, Store, in_batches
from app.models import QueueItem
from archive_store import ids
from archive_store.clock import utc_now
from archive_store.directory import Owner, check_signature
from archive_store.errors import KeyForged
from archive_store.models import DayKey, Entry, WriterKey
from archive_store.segments import FrameRef
from archive_store.segments.frame import KeyFrame

KeyFrames = Sequence[tuple[FrameRef, KeyFrame]]


class KeyCheck:
    """Checks key frames as they come by, then all key rows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rowless: dict[bytes, FrameRef] = {}

    def frames(self, frames: KeyFrames) -> Findings:
        """Key frames against their rows. One without a row is what a mail left that got no 250."""
        found = Findings(frames=len(frames))
        live = [(ref, key) for ref, key in frames if self._lives(key)]
        with self._store.db.read() as tx:
            wanted = [key.day_key_id for _, key in live]
            days = {d.id: d for d in tx.scalars(select(DayKey).where(DayKey.id.in_(wanted)))}
            wanted = [key.writer_key_id for _, key in live]
            of_frames = select(WriterKey).where(WriterKey.id.in_(wanted))
            writers = {w.id: w for w in tx.scalars(of_frames)}
        for ref, key in live:
            day, writer = days.get(key.day_key_id), writers.get(key.writer_key_id)
            if not is_signed(self._store, key):
                where = f"{ref.day}/{ref.segment} at {ref.offset}"
                text = f"segment {where}: a key that this installation did not sign"
                found.problems.append(Problem(Wrong.SEGMENT, text))
                continue
            if day is not None and rows_of.differs(day, rows_of.day_key_values(key)):
                found.problems.append(_other_day_key(key))
            if writer is not None and rows_of.differs(writer, rows_of.writer_key_values(key)):
                found.problems.append(_other_writer_key(key))
            if writer is None:
                self._rowless[key.writer_key_id] = ref
        return found

    def rows(self) -> Findings:
        """Every key row of a day that is not over, and keys that mail needs and no row has."""
        found = Findings()
        for some in self._day_keys():
            found.day_keys += len(some)
            broken = set(self._store.keys.broken_day_keys([row.id for row in some]))
            broken |= {row.id for row in some if not is_signed(self._store, row)}
            found.problems += [_broken_day_key(one) for one in broken]
        for ids_ in self._writer_keys():
            found.writer_keys += len(ids_)
            for one in self._store.keys.broken_writer_keys(ids_):
                text = f"writer key {ids.show(one)}: does not open"
                found.problems.append(Problem(Wrong.WRITER_KEY, text))
        for one in self._lost():
            text = f"writer key {ids.show(one)}: mail needs it, and it has no row"
            found.problems.append(Problem(Wrong.WRITER_KEY, text, self._put_back(one)))
        return found

    def _lives(self, key: KeyFrame) -> bool:
        over = self._store.over.get(key.series)
        return over is not None and key.day > over

    def _day_keys(self) -> Iterator[Sequence[DayKey]]:
        for series, over in self._store.over.items():
            with self._store.db.read() as tx:
                query = select(DayKey).where(DayKey.series == series, DayKey.day > over)
                rows = list(tx.scalars(query))
            yield from in_batches(rows)

    def _writer_keys(self) -> Iterator[Sequence[bytes]]:
        with self._store.db.read() as tx:
            found = list(tx.scalars(select(WriterKey.id)))
        yield from in_batches(found, BATCH)

    def _lost(self) -> list[bytes]:
        known = select(WriterKey.id)
        over = self._store.over
        entries = select(Entry.writer_key_id).where(
            Entry.day > over["mail"], Entry.writer_key_id.not_in(known)
        )
        items = select(QueueItem.writer_key_id).where(
            QueueItem.day > over["mailbag"],
            QueueItem.wrap != b"",
            QueueItem.writer_key_id.not_in(known),
        )
        with self._store.db.read() as tx:
            return sorted({*tx.scalars(entries), *tx.scalars(items)})

    def _put_back(self, one: bytes) -> Mend | None:
        ref = self._rowless.get(one)
        if ref is None:
            return None

        def change(tx: Session) -> None:
            frame = KeyFrame.decode(self._store.segments.read(ref))
            add_keys(tx, frame)

        return Mend(Mended.PUT_BACK, change)


def is_signed(store: Store, key: KeyFrame | DayKey) -> bool:
    """Whether this installation's directory signed a day key's public half."""
    owner = Owner(key.series, key.tenant_id, key.owner_id)
    row = key if isinstance(key, DayKey) else rows_of.day_key(key)
    try:
        check_signature(store.public, owner, row)
    except KeyForged:
        return False
    return True


def add_keys(tx: Session, frame: KeyFrame) -> bool:
    """Add the rows of a key frame that are not there; False when another day key is."""
    if tx.get(DayKey, frame.day_key_id) is None:
        of_day = select(DayKey.id).where(
            DayKey.series == frame.series,
            DayKey.owner_id == frame.owner_id,
            DayKey.day == frame.day,
        )
        if tx.scalar(of_day) is not None:
            return False
        tx.add(rows_of.day_key(frame))
        tx.flush()
    if tx.get(WriterKey, frame.writer_key_id) is None:
        tx.add(rows_of.writer_key(frame, utc_now()))
        tx.flush()
    return True


def _other_day_key(key: KeyFrame) -> Problem:
    change = update(DayKey).where(DayKey.id == key.day_key_id)
    change = change.values(**rows_of.day_key_values(key))
    return _differs(Wrong.DAY_KEY, f"day key {ids.show(key.day_key_id)}", change)


def _other_writer_key(key: KeyFrame) -> Problem:
    change = update(WriterKey).where(WriterKey.id == key.writer_key_id)
    change = change.values(**rows_of.writer_key_values(key))
    return _differs(Wrong.WRITER_KEY, f"writer key {ids.show(key.writer_key_id)}", change)


def _differs(wrong: Wrong, name: str, change: Executable) -> Problem:
    mend = Mend(Mended.PUT_BACK, lambda tx: _run(tx, change))
    return Problem(wrong, f"{name}: its row says other than its frame", mend)


def _broken_day_key(one: bytes) -> Problem:
    # Only what nothing was sealed to yet: a key of which a part is damaged may open mail.
    unused = DayKey.id == one, DayKey.id.not_in(select(WriterKey.day_key_id))
    mend = Mend(Mended.MADE_ANEW, lambda tx: _run(tx, delete(DayKey).where(*unused)))
    return Problem(Wrong.DAY_KEY, f"day key {ids.show(one)}: does not open", mend)


def _run(tx: Session, change: Executable) -> None:
    tx.execute(change)
