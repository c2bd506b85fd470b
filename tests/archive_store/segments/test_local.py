"""Segments as files: what a failing disk, a stranger's file or a second sweep may not break."""

import errno
import os
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from archive_store.errors import FrameBroken, NotFound, StoreBusy, StoreFull, WriteFailed
from archive_store.segments import FrameRef, local
from archive_store.segments.frame import HEADER, MAGIC
from archive_store.segments.local import LocalSegments

DAY = date(2026, 11, 24)
BODY = bytes(range(64))
FRAME = HEADER.pack(MAGIC, 2, 0, len(BODY), zlib.crc32(BODY)) + BODY


@pytest.fixture
def store(tmp_path: Path) -> LocalSegments:
    return LocalSegments(tmp_path / "objects", 1 << 20)


def test_what_is_no_day_is_left_alone(store: LocalSegments, tmp_path: Path) -> None:
    store.append(DAY, [FRAME])
    (tmp_path / "objects" / "lost+found").mkdir()
    (tmp_path / "objects" / ".snapshot").touch()
    assert store.days() == [DAY]
    store.drop(DAY)
    assert store.days() == []
    assert (tmp_path / "objects" / "lost+found").is_dir()


def removing_is(action: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """For the store alone: worlds of earlier tests are still being cleared away beside us."""
    monkeypatch.setattr(local, "shutil", SimpleNamespace(rmtree=action))


def test_two_sweeps_may_drop_the_same_day(
    store: LocalSegments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append(DAY, [FRAME])
    [ours] = tmp_path.rglob("*.seg")
    (ours.parent / "other.seg").touch()

    def while_another_does(folder: Path) -> None:
        monkeypatch.undo()
        ours.unlink()
        raise FileNotFoundError(errno.ENOENT, "gone", str(ours))

    removing_is(while_another_does, monkeypatch)
    store.drop(DAY)
    assert store.days() == []


def test_a_day_that_cannot_be_removed_is_a_store_error(
    store: LocalSegments, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(errno.EACCES, "denied")

    store.append(DAY, [FRAME])
    removing_is(refuse, monkeypatch)
    with pytest.raises(WriteFailed):
        store.drop(DAY)


@pytest.mark.parametrize("first", [True, False])
def test_a_full_disk_gets_back_what_a_refused_mail_took(
    store: LocalSegments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    kept = [] if first else store.append(DAY, [FRAME])
    write = os.write
    left = [10, 0]

    def fill_up(handle: int, octets: memoryview) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "full")
        return write(handle, octets[: left.pop(0)])

    monkeypatch.setattr(os, "write", fill_up)
    with pytest.raises(StoreFull):
        store.append(DAY, [FRAME])
    monkeypatch.setattr(os, "write", write)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.seg")) == len(kept) * len(FRAME)
    [ref] = store.append(DAY, [FRAME])
    assert [store.read(one) for one in (*kept, ref)] == [FRAME] * (len(kept) + 1)


def test_a_disk_that_cannot_be_read_is_told_from_a_day_that_left(
    store: LocalSegments, monkeypatch: pytest.MonkeyPatch
) -> None:
    [ref] = store.append(DAY, [FRAME])
    with pytest.raises(NotFound):
        store.read(FrameRef(DAY, "other.seg", 0, 5))
    for number, expected in ((errno.EIO, FrameBroken), (errno.EMFILE, StoreBusy)):

        def fail(*_: object, number: int = number) -> bytes:
            raise OSError(number, "trouble")

        monkeypatch.setattr(os, "pread", fail)
        with pytest.raises(expected):
            store.read(ref)


def test_a_damaged_header_ends_the_scan_of_its_file(store: LocalSegments, tmp_path: Path) -> None:
    store.append(DAY, [FRAME])
    [path] = tmp_path.rglob("*.seg")
    with path.open("ab") as file:
        file.write(HEADER.pack(MAGIC, 1, 0, 2**63, 0) + b"abc")
    assert [frame for _, frame in store.scan(DAY)] == [FRAME]


def test_a_header_that_lost_its_second_half_is_no_frame(
    store: LocalSegments, tmp_path: Path
) -> None:
    store.append(DAY, [FRAME])
    [path] = tmp_path.rglob("*.seg")
    # A sector that a power cut left unwritten reads as zeros: length 0 with the checksum of
    # nothing.
    torn = HEADER.pack(MAGIC, 1, 1, 0, 0) + bytes(600)
    path.write_bytes(FRAME + torn)
    assert [frame for _, frame in store.scan(DAY)] == [FRAME]
    assert [each.whole for each in store.survey(DAY)] == [True, False]
