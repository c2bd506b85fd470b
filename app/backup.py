"""Backup and restore of everything but the keyring.

A backup is a folder: the database as one consistent copy, then every segment
(frames are only ever added, so a copy made after the database has all that the
database names), the public keys and receipt keys, and `manifest.json` with the
SHA-256 of each file, written last. It never holds the keyring: keep that apart
(`livearchive keys backup`), or the copy can be read by whoever finds it.
"""

import hashlib
import json
import os
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

from sqlalchemy import CursorResult, delete, inspect, select, update
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from app import audit
from app.audit import events
from app.config import Config
from app.delivery import queue
from app.models import Hold, LoginSession, QueueItem
from app.replay import replay_deletions
from app.sending.outbox import DRAFTS, item_slots
from app.setup import make_data_dir
from app.viewer import Actor
from app.wiring import Parts
from archive_store.clock import day_named
from archive_store.config import StoreConfig
from archive_store.db import Database
from archive_store.deletion import delete_entries
from archive_store.durable import make_folder, replace_file, sync_folder
from archive_store.errors import NotFound, StoreError
from archive_store.models import OUTBOX, Entry
from archive_store.segments import SegmentStore
from archive_store.segments.choice import open_hold_segments, open_segments
from archive_store.segments.frame import ERASED, KIND_MESSAGE, MessageFrame, kind_of
from archive_store.tombstones import Tombstones

MANIFEST = "manifest.json"
FORMAT = "livearchive backup 1"
DUMP = "database.pgdump"
COPY = "database.sqlite"
_AT_ONCE = 500
_PIECE_OCTETS = 1 << 20


class BackupFailed(StoreError):
    """A backup could not be made or brought back; the text says why."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: files, when the backup was begun, entries that were deleted since, and
    queue items that are held now.
    """

    files: int
    made_at: str
    deleted: int
    held: int


def backup(parts: Parts, folder: Path, operator: str, now: datetime) -> int:
    """Write a backup into an empty or new folder; says how many files it has."""
    if folder.exists() and any(folder.iterdir()):
        raise BackupFailed(f"{folder} is not empty")
    with parts.db.write() as tx:
        actor = Actor.command_line(operator)
        audit.record(tx, events.BackupMade(), trail=audit.INSTALLATION, actor=actor, at=now)
    make_folder(folder.absolute())
    _copy_database(parts.db, folder)
    _copy_segments(parts.segments, folder / "objects")
    _copy_holds(parts, folder / "holds")
    keyring = parts.store.keyring.resolve()
    for path in sorted(parts.store.keys_dir.iterdir()):
        if path.resolve() != keyring and path.name.startswith(("public.", "receipt-")):
            _copy_file(path, folder / "keys" / path.name)
    files = dict(_digests(folder))
    manifest = {"format": FORMAT, "made_at": now.isoformat(), "files": files}
    replace_file(folder.absolute() / MANIFEST, json.dumps(manifest, indent=1).encode())
    return len(files)


def restore(config: Config, folder: Path, operator: str, now: datetime) -> Restored:
    """Bring a backup back into an empty place; the keyring is put there by hand.

    Nobody is logged in afterwards, and nothing is handed on until `queue release`.
    """
    manifest = _read_manifest(folder)
    data = config.data_dir
    if data.exists() and any(data.iterdir()):
        raise BackupFailed(f"{data} is not empty: restore into a new place")
    _require_fitting_database(config, manifest["files"])
    for name, digest in manifest["files"].items():
        if _digest(folder / name) != digest:
            raise BackupFailed(f"{folder / name} is damaged: its SHA-256 is another")
    store = config.store
    segments = open_segments(store)
    if segments.days():
        raise BackupFailed("OBJECTS_URL: there are segments already: restore into an empty place")
    make_data_dir(config)
    for name in manifest["files"]:
        if name.startswith("objects/"):
            _put_back(segments, folder / name)
        elif name.startswith("holds/"):
            _put_back_held(store, folder / name)
        elif name.startswith("keys/"):
            _copy_file(folder / name, data / name)
    _restore_database(config, folder)
    with closing(Database(store.database)) as db:
        # Slots first: what was erased while the backup was made must not open for anybody.
        erased = _erased_slots(segments)
        with db.write() as tx:
            tx.execute(delete(LoginSession))
            deleted = _delete_erased(tx, erased, now)
            held = _hold_queue(tx, segments, now)
            actor = Actor.command_line(operator)
            audit.record(tx, events.BackupRestored(), trail=audit.INSTALLATION, actor=actor, at=now)
        # Where the keyring has a place of its own, it still says what was deleted since.
        deleted += replay_deletions(db, segments, Tombstones.beside(store.keyring), now)
        db.checkpoint()
    segments.close()
    return Restored(len(manifest["files"]), str(manifest["made_at"]), deleted, held)


def _require_fitting_database(config: Config, files: Mapping[str, str]) -> None:
    """Say before anything is written why the database would not take the backup."""
    with closing(Database(config.store.database)) as db:
        if db.is_sqlite:
            if COPY not in files:
                raise BackupFailed("the backup is of PostgreSQL: set DATABASE_URL to an empty one")
            return
        if DUMP not in files:
            raise BackupFailed(
                "the backup is of SQLite: restore it without DATABASE_URL; nothing moves an "
                "installation from SQLite to PostgreSQL"
            )
        if inspect(db.engine).get_table_names():
            raise BackupFailed("the database is not empty: restore into a new one")


def _erased_slots(segments: SegmentStore) -> set[bytes]:
    """Ids of entries and queue items whose keys were erased in the segments."""
    erased = set()
    for day in segments.days():
        for _, octets in segments.scan(day):
            if kind_of(octets) == KIND_MESSAGE:
                slots = MessageFrame.decode(octets).slots
                erased |= {slot.id for slot in slots if slot.wrap == ERASED}
    return erased


def _delete_erased(tx: Session, erased: set[bytes], now: datetime) -> int:
    """Replay final deletes and finished deliveries that the database copy does not know."""
    entries = [e for e in tx.scalars(select(Entry)) if e.id in erased]
    for at in range(0, len(entries), _AT_ONCE):
        delete_entries(tx, entries[at : at + _AT_ONCE])
    over = queue.ended_as(queue.DROPPED, now)
    for item in tx.scalars(select(QueueItem).where(QueueItem.state.in_(queue.WAITING))):
        if item.id in erased:
            for name, value in over.items():
                setattr(item, name, value)
    tx.flush()
    return len(entries)


def _back_to_drafts(tx: Session, segments: SegmentStore, now: datetime) -> None:
    """What was to be sent later may have been sent since: its writer decides."""
    pending = QueueItem.kind == queue.PENDING, QueueItem.state.in_(queue.WAITING)
    items = tx.scalars(select(QueueItem).where(*pending))
    segments.erase([slot for item in items for slot in item_slots(tx, item)])
    tx.execute(update(QueueItem).where(*pending).values(**queue.ended_as(queue.DROPPED, now)))
    tx.execute(update(Entry).where(Entry.folder == OUTBOX).values(folder=DRAFTS))


def _hold_queue(tx: Session, segments: SegmentStore, now: datetime) -> int:
    """Hold what waited: its server may have it since. Says how many items."""
    _back_to_drafts(tx, segments, now)
    waiting = update(QueueItem).where(QueueItem.state.in_((queue.QUEUED, queue.LEASED)))
    held = waiting.values(state=queue.HELD, lease_owner="", lease_until=None)
    return cast(CursorResult[Any], tx.execute(held)).rowcount


def _copy_database(db: Database, folder: Path) -> None:
    if not db.is_sqlite:
        _run(db.url, ["pg_dump", "--format=custom", f"--file={folder / DUMP}", _libpq(db.url)])
        return
    target = folder / COPY
    try:
        with (
            closing(sqlite3.connect(str(db.url.database))) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
    except sqlite3.Error as error:
        raise BackupFailed(f"the database could not be copied: {error}") from error
    target.chmod(0o600)


def _restore_database(config: Config, folder: Path) -> None:
    store = config.store
    with closing(Database(store.database)) as db:
        if db.is_sqlite:
            _copy_file(folder / COPY, Path(str(db.url.database)))
        else:
            dump = str(folder / DUMP)
            _run(db.url, ["pg_restore", "--no-owner", f"--dbname={_libpq(db.url)}", dump])


def _libpq(url: URL) -> str:
    # Not `set`, which takes None for "as it was".
    plain = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, url.query
    )
    return plain.render_as_string()


def _run(url: URL, command: list[str]) -> None:
    # Every user of the machine sees the words of a command; its environment only we do.
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    environment = {**os.environ, **secret}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise BackupFailed(
            f"{command[0]} is not installed: it comes with PostgreSQL's client"
        ) from None
    if done.returncode:
        raise BackupFailed(f"{command[0]} failed: {done.stderr.strip().splitlines()[-1:]}")


def _copy_segments(segments: SegmentStore, target: Path) -> None:
    for day in segments.days():
        for name in segments.names(day):
            path = target / day.isoformat() / name
            try:
                _write_file(path, segments.take_out(day, name), 0o600)
            except NotFound:  # its day was over meanwhile: nothing of it can be read any more
                path.unlink()


def _copy_holds(parts: Parts, target: Path) -> None:
    """The segments of legal holds. After those of the days, which they are copied out of."""
    with parts.db.read() as tx:
        active = list(tx.scalars(select(Hold.id).where(Hold.released_at.is_(None))))
    for hold_id in active:
        with closing(open_hold_segments(parts.store, hold_id)) as segments:
            _copy_segments(segments, target / hold_id.hex())


def _put_back_held(store: StoreConfig, path: Path) -> None:
    with closing(open_hold_segments(store, bytes.fromhex(path.parent.parent.name))) as segments:
        _put_back(segments, path)


def _put_back(segments: SegmentStore, path: Path) -> None:
    day = day_named(path.parent.name)
    if day is None:
        raise BackupFailed(f"{path} is a segment of no day")
    with path.open("rb") as source:
        segments.put_back(day, path.name, source)


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb") as reading:
        pieces = iter(partial(reading.read, _PIECE_OCTETS), b"")
        _write_file(target, pieces, source.stat().st_mode & 0o600)


def _write_file(target: Path, pieces: Iterable[bytes], mode: int) -> None:
    make_folder(target.parent.absolute())
    with target.open("xb") as writing:
        writing.writelines(pieces)
        os.fchmod(writing.fileno(), mode)
        writing.flush()
        os.fsync(writing.fileno())
    sync_folder(target.parent.absolute())


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(folder)), _digest(path)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BackupFailed(f"cannot read {path}: {error.strerror}") from error


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        raise BackupFailed(f"{folder} holds no finished backup") from None
    if found.get("format") != FORMAT:
        raise BackupFailed(f"{folder} holds a backup of another format")
    for name in found["files"]:
        # Somebody else may have written it: nothing is put outside of where it belongs.
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise BackupFailed(f"{folder} names a file outside of it")
    return found
