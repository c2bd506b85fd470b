"""Which call is to fail: the block that `faults.c` reads in each process."""

import errno
import mmap
import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

SOURCE = Path(__file__).with_name("faults.c")
NOBODY, EVERYBODY = 0, -1
NEVER = 2**40
_BLOCK = struct.Struct("iiiilll16s256s")  # faults.c: struct block


class Calls(IntFlag):
    """Kinds of calls. NAME: all that makes, renames, cuts or removes files and folders. NET: what
    sends to and receives from a database or an object store.
    """

    WRITE = 1
    SYNC = 2
    NAME = 4
    READ = 8
    NET = 16


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of the n-th of these calls. `error` 0: half of a write is done, and said so."""

    name: str
    calls: Calls
    error: int
    onwards: bool = False


FAULTS = (
    Fault("EIO", Calls.WRITE | Calls.NAME, errno.EIO),
    Fault("ENOSPC", Calls.WRITE | Calls.NAME, errno.ENOSPC),
    Fault("full from then on", Calls.WRITE | Calls.NAME, errno.ENOSPC, onwards=True),
    Fault("short write", Calls.WRITE, 0),
    Fault("failed fsync", Calls.SYNC, errno.EIO),
    Fault("unreadable", Calls.READ, errno.EIO),
    Fault("connection lost", Calls.NET, errno.ECONNRESET),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What happened since the block was armed."""

    calls: int
    fired: int
    call: str  # the first that was made to fail
    path: str


class Control:
    """One block, in a file that the processes share."""

    def __init__(self, path: Path, *, new: bool = True) -> None:
        if new:
            path.write_bytes(bytes(mmap.PAGESIZE))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self._path = path

    def environment(self, library: Path, root: Path) -> dict[str, str]:
        """What a process needs whose files below `root` are meant."""
        return {
            "LD_PRELOAD": str(library),
            "FAULTS_ROOT": str(root),
            "FAULTS_CONTROL": str(self._path),
        }

    def arm(self, process: int, fault: Fault, at: int) -> None:
        """From now on count that process's calls, and let the one numbered `at` fail."""
        self.disarm()
        onwards = int(fault.onwards)
        _BLOCK.pack_into(
            self._map, 0, NOBODY, fault.calls, fault.error, onwards, at, 0, 0, b"", b""
        )
        struct.pack_into("i", self._map, 0, process)

    def disarm(self) -> Seen:
        """Let everything pass; what happened until now."""
        struct.pack_into("i", self._map, 0, NOBODY)
        return self.seen()

    def seen(self) -> Seen:
        """What happened until now."""
        *_, calls, fired, call, path = _BLOCK.unpack_from(self._map)
        return Seen(calls, fired, _text(call), _text(path))


def build(folder: Path) -> Path:
    """Compile the library; its path. SystemExit when there is no compiler."""
    compiler = shutil.which(os.environ.get("CC", "gcc"))
    if compiler is None:
        raise SystemExit("reliability: install the package gcc")
    library = folder / "faults.so"
    flags = ["-std=gnu11", "-O1", "-shared", "-fPIC", "-nostdlib", "-fno-builtin"]
    subprocess.run([compiler, *flags, "-o", str(library), str(SOURCE)], check=True)
    return library


def thinned(count: int, most: int) -> list[int]:
    """The numbers from 1 to `count`, or `most` of them, evenly."""
    if count <= most:
        return list(range(1, count + 1))
    return sorted({1 + at * (count - 1) // max(1, most - 1) for at in range(most)})


def _text(octets: bytes) -> str:
    return octets.partition(b"\0")[0].decode(errors="replace")
