"""SQLite's write-ahead log as it is written, and each state of the database that it makes.

https://www.sqlite.org/fileformat2.html#walformat: a frame is a header of 24 octets and a page;
in the last frame of a transaction the header has the size of the database in pages. A state is
the exclusive or of a digest of each page, so a page that changes costs one digest.
"""

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.reliability.disk import Write

HEADER, FRAME_HEADER = 32, 24


@dataclass(slots=True)
class _Row:
    """A row's way to safety: its page in the log, and the page that commits it."""

    page: Write
    commit: Write | None = None


class Log:
    """Which transactions there were, and which of them a power cut must leave."""

    def __init__(self, pages: dict[int, int], wanted: Iterable[bytes]) -> None:
        """`pages`: the digests at the beginning, `wanted`: what marks the rows to look for."""
        self._pages = pages
        self._waiting = set(wanted)
        self._rows: dict[bytes, _Row] = {}
        self._uncommitted: list[_Row] = []
        self._headers: dict[int, tuple[int, int]] = {}  # by offset: page, size of the database
        self._frames: dict[int, tuple[int, int]] = {}  # by offset: page, digest
        self._commits: list[tuple[Write | None, int]] = [(None, state_of(pages))]

    def wrote(self, write: Write) -> bool:
        """A write to the log; whether it is the last of a transaction."""
        octets = write.octets or b""
        if len(octets) == FRAME_HEADER:
            self._headers[write.offset] = _number(octets, 0), _number(octets, 4)
            return False
        if len(octets) <= HEADER:
            self._frames.clear()
            return False
        place = write.offset - FRAME_HEADER
        page, size = self._headers[place]
        self._frames[place] = page, _digest(page, octets)
        for one in [one for one in self._waiting if one in octets]:
            self._waiting.discard(one)
            self._rows[one] = _Row(write)
            self._uncommitted.append(self._rows[one])
        if size:
            self._commit(write, place, size)
        return bool(size)

    def is_safe(self, row: bytes) -> bool:
        """Whether a power cut leaves the row: its page, its commit, and so all before that."""
        found = self._rows.get(row)
        return (
            found is not None
            and found.page.synced
            and found.commit is not None
            and found.commit.synced
        )

    def judge(self, pages: dict[int, int]) -> str:
        """What is wrong with a database after a cut now; empty: nothing."""
        state = state_of(pages)
        states = [one for _, one in self._commits]
        safe = max(n for n, (write, _) in enumerate(self._commits) if not write or write.synced)
        if state in states[safe:]:
            return ""
        if state in states:
            return f"{safe - states.index(state)} transactions that were safe are lost"
        return "the database is as no transaction ever left it"

    def _commit(self, write: Write, last: int, size: int) -> None:
        for place in sorted(place for place in self._frames if place <= last):
            page, digest = self._frames[place]
            self._pages[page] = digest
        for page in [page for page in self._pages if page > size]:
            del self._pages[page]
        self._frames.clear()
        self._commits.append((write, state_of(self._pages)))
        for row in self._uncommitted:
            row.commit = write
        self._uncommitted = []


def pages_of(database: Path) -> dict[int, int]:
    """The digest of each page as SQLite reads it, from a copy: opening would change the files."""
    with tempfile.TemporaryDirectory(prefix="la-pages-") as name:
        for path in database.parent.glob(f"{database.name}*"):
            if path.name in (database.name, f"{database.name}-wal"):
                shutil.copyfile(path, Path(name) / path.name)
        with closing(sqlite3.connect(Path(name) / database.name)) as connection:
            octets = connection.serialize()
    size = int.from_bytes(octets[16:18]) or 1
    size = 65536 if size == 1 else size  # the format's way to write that
    return {
        number: _digest(number, octets[at : at + size])
        for number, at in enumerate(range(0, len(octets), size), 1)
    }


def state_of(pages: dict[int, int]) -> int:
    """One number for all pages."""
    state = 0
    for digest in pages.values():
        state ^= digest
    return state


def _digest(page: int, octets: bytes) -> int:
    found = hashlib.blake2b(octets, digest_size=16, salt=page.to_bytes(8))
    return int.from_bytes(found.digest())


def _number(octets: bytes, at: int) -> int:
    return int.from_bytes(octets[at : at + 4])
