"""Segments as files: one append-only file per writer and day, `DAY/RANDOM.seg`.

The names say nothing of a mailbox. A write or fsync that failed leaves the file
in an unknown state, so what it was about is cut off and it is never appended to
again: the next batch begins a new one. A torn tail is what a crash left of a batch
that got no 250.
"""

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import BinaryIO

from archive_store.clock import day_named
from archive_store.durable import make_folder, sync_folder
from archive_store.errors import (
    FrameBroken,
    FrameUnreadable,
    NotFound,
    StoreBusy,
    StoreError,
    StoreFull,
    WriteFailed,
)
from archive_store.seal import WRAP_OCTETS
from archive_store.segments import FrameRef, KeySlot, Stretch
from archive_store.segments.survey import survey

_PIECE_OCTETS = 1024 * 1024
# Of the disk mail leaves so much free, or a sixteenth where that is less: reading needs some of it,
# since whoever opens a mail is first written down.
_RESERVE_OCTETS = 64 * 1024 * 1024
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class LocalSegments:
    """SegmentStore on a local file system. `append` is for one thread; reading for any."""

    def __init__(self, folder: Path, segment_octets: int) -> None:
        self._folder = folder
        self._limit = segment_octets
        self._open: _Segment | None = None

    def append(self, day: date, frames: Sequence[bytes]) -> list[FrameRef]:
        """Append to this process's file of the day and fdatasync it."""
        try:
            self._leave_reserve(sum(map(len, frames)))
            segment = self._segment(day)
            refs = segment.append(frames)
        except OSError as error:
            if self._open is not None:
                self._open.give_back()
            self._abandon()
            raise _store_error(error) from error
        return refs

    def read(self, ref: FrameRef) -> bytes:
        """One pread of the frame."""
        try:
            # Paths and file objects cost more than the read: the index role reads every mail.
            handle = os.open(f"{self._folder}/{ref.day}/{ref.segment}", os.O_RDONLY)
            try:
                frame = os.pread(handle, ref.length, ref.offset)
            finally:
                os.close(handle)
        except FileNotFoundError:
            raise NotFound("the octets have left with their day") from None
        except OSError as error:
            raise _unreadable(error) from error
        if len(frame) != ref.length:
            raise FrameBroken("a segment ends before its frame does")
        return frame

    def read_with_wraps(self, ref: FrameRef) -> bytes:
        """The wraps lie in the frame."""
        return self.read(ref)

    def scan(self, day: date) -> Iterator[tuple[FrameRef, bytes]]:
        """Frame by frame."""
        return ((found.ref, found.octets) for found in self.survey(day) if found.whole)

    def survey(self, day: date) -> Iterator[Stretch]:
        """File by file, each from its beginning to its end."""
        for path in sorted((self._folder / day.isoformat()).glob("*.seg")):
            try:
                with path.open("rb") as file:
                    yield from survey(day, path.name, file)
            except FileNotFoundError:
                continue  # its day has left since the folder was listed
            except OSError as error:
                raise _unreadable(error) from error

    def erase(self, slots: Sequence[KeySlot]) -> None:
        """Zero wraps in place, with one fdatasync for each file."""
        by_file: dict[Path, list[int]] = {}
        for slot in slots:
            path = self._path(slot.frame.day, slot.frame.segment)
            by_file.setdefault(path, []).append(slot.frame.offset + slot.start)
        for path, positions in by_file.items():
            try:
                with path.open("r+b", buffering=0) as file:
                    for at in positions:
                        os.pwrite(file.fileno(), bytes(WRAP_OCTETS), at)
                    os.fdatasync(file.fileno())
            except FileNotFoundError:
                continue  # its day has left: nothing remains to erase
            except OSError as error:
                raise _store_error(error) from error

    def drop(self, day: date) -> None:
        """Remove the folder of a day."""
        if self._open is not None and self._open.day == day:
            self._abandon()
        folder = self._folder / day.isoformat()
        try:
            while folder.exists():
                # A sweep in another process may be removing the same files.
                with contextlib.suppress(FileNotFoundError):
                    shutil.rmtree(folder)
                sync_folder(self._folder)
        except OSError as error:
            raise _store_error(error) from error

    def days(self) -> list[date]:
        """From the names of the folders; what else lies there (lost+found) is not ours."""
        if not self._folder.is_dir():
            return []
        found = [day_named(path.name) for path in self._folder.iterdir()]
        return sorted(day for day in found if day is not None)

    def names(self, day: date) -> list[str]:
        """The files of a day."""
        return sorted(path.name for path in (self._folder / day.isoformat()).glob("*.seg"))

    def take_out(self, day: date, name: str) -> Iterator[bytes]:
        """The file, as far as it is written now."""
        try:
            with self._path(day, name).open("rb") as file:
                while piece := file.read(_PIECE_OCTETS):
                    yield piece
        except FileNotFoundError:
            raise NotFound("the octets have left with their day") from None
        except OSError as error:
            raise _unreadable(error) from error

    def put_back(self, day: date, name: str, source: BinaryIO) -> None:
        """Write the file anew."""
        path = self._path(day, name)
        try:
            make_folder(path.parent)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                shutil.copyfileobj(source, file)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(path.parent)
        except OSError as error:
            raise _store_error(error) from error

    def free_octets(self) -> int | None:
        """Room on the file system for an ordinary user."""
        make_folder(self._folder)
        return shutil.disk_usage(self._folder).free

    def close(self) -> None:
        """Close the file that is being written."""
        self._abandon()

    def _path(self, day: date, name: str) -> Path:
        return self._folder / day.isoformat() / name

    def _leave_reserve(self, wanted: int) -> None:
        make_folder(self._folder)
        disk = os.statvfs(self._folder)
        reserve = min(_RESERVE_OCTETS, disk.f_blocks * disk.f_frsize // 16)
        if disk.f_bavail * disk.f_frsize - wanted < reserve:
            raise StoreFull("no room left for sealed mail")

    def _segment(self, day: date) -> "_Segment":
        if self._open is not None and (self._open.day != day or self._open.size >= self._limit):
            self._abandon()
        if self._open is None:
            self._open = _Segment(self._folder, day)
        return self._open

    def _abandon(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class _Segment:
    """The file that this process appends to."""

    def __init__(self, root: Path, day: date) -> None:
        self.day = day
        folder = root / day.isoformat()
        make_folder(folder)
        self.name = f"{secrets.token_hex(12)}.seg"
        self._handle = os.open(
            folder / self.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600
        )
        self.size = 0
        try:
            # Another process may have made the day's folder a moment ago: its name must be
            # durable before our first 250, not only before its own.
            sync_folder(root)
            sync_folder(folder)
        except OSError:
            os.close(self._handle)
            raise

    def append(self, frames: Sequence[bytes]) -> list[FrameRef]:
        refs = []
        at = self.size
        for frame in frames:
            refs.append(FrameRef(self.day, self.name, at, len(frame)))
            at += len(frame)
        _write_all(self._handle, b"".join(frames))
        # The sender forgets the message at our 250: it must outlive a power cut.
        os.fdatasync(self._handle)
        self.size = at
        return refs

    def give_back(self) -> None:
        """Cut off what a failed append left: on a full disk it is room that mail could have."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._handle, self.size)

    def close(self) -> None:
        os.close(self._handle)


def _write_all(handle: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(handle, view) :]


def _store_error(error: OSError) -> StoreError:
    if error.errno in _NO_ROOM:
        return StoreFull("no room left for sealed mail")
    return WriteFailed(
        f"sealed mail could not be written ({errno.errorcode.get(error.errno or 0)})"
    )


def _unreadable(error: OSError) -> StoreError:
    if error.errno == errno.EIO:
        return FrameUnreadable("the disk cannot read a frame")
    return StoreBusy(f"sealed mail cannot be read now ({errno.errorcode.get(error.errno or 0)})")
