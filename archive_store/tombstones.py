"""Which entries were deleted for good, kept beside the keyring until their day is over.

A backup that is brought back knows nothing of what was deleted since. So a final delete is
written here before it is done, and the keys role does it again at its next start wherever
the entry is back. That also finishes a delete that a crash cut short.

One line an entry, "DAY ID\\n", the id in hexadecimal: it says nothing of any mail. The keys
role alone writes here. A line that is not whole is what a crash or a failed write left of
an `add` that never returned: it is passed over, and the next `add` begins a new file.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

from archive_store.durable import NO_ROOM, replace_file
from archive_store.errors import StoreBusy, StoreError, StoreFull, WriteFailed

_LINE = re.compile(rb"(\d{4}-\d{2}-\d{2}) ([0-9a-f]{32})\n")


@dataclass(frozen=True, slots=True)
class Tombstone:
    """An entry that was deleted for good; `day`: of its key."""

    day: date
    entry_id: bytes

    @property
    def line(self) -> bytes:
        """As it stands in the file."""
        return f"{self.day.isoformat()} {self.entry_id.hex()}\n".encode()


class Tombstones:
    """The file. Writing is for one thread of one process, reading for any."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._trusted = False  # whether its end is known to be a whole line

    @classmethod
    def beside(cls, keyring: Path) -> Self:
        """Those that belong to a keyring."""
        return cls(keyring.with_name(f"{keyring.name}.deleted"))

    def add(self, stones: Iterable[Tombstone]) -> None:
        """Return only when they would survive a power cut. StoreFull or WriteFailed: try again."""
        added = b"".join(stone.line for stone in stones)
        try:
            if not self._trusted:
                self._write(self.read())
            with self.path.open("ab") as file:
                file.write(added)
                file.flush()
                os.fdatasync(file.fileno())
        except OSError as error:
            self._trusted = False
            raise _failed(error) from error

    def read(self) -> Iterator[Tombstone]:
        """Every whole line. StoreBusy when the file cannot be read."""
        try:
            with self.path.open("rb") as file:
                for line in file:
                    if (found := _LINE.fullmatch(line)) is not None:
                        day, entry_id = found.groups()
                        yield Tombstone(
                            date.fromisoformat(day.decode()), bytes.fromhex(entry_id.decode())
                        )
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreBusy(f"{self.path} cannot be read: {error.strerror}") from error

    def drop(self, over: date) -> None:
        """Forget the days up to and including `over`: nothing opens their entries any more."""
        if any(stone.day <= over for stone in self.read()):
            try:
                self._write(stone for stone in self.read() if stone.day > over)
            except OSError as error:
                raise _failed(error) from error

    def octets(self) -> bytes:
        """All whole lines, for a copy."""
        return b"".join(stone.line for stone in self.read())

    def _write(self, stones: Iterable[Tombstone]) -> None:
        replace_file(self.path, b"".join(stone.line for stone in stones))
        self._trusted = True


def _failed(error: OSError) -> StoreError:
    if error.errno in NO_ROOM:
        return StoreFull("no room left beside the keyring to note a final delete")
    return WriteFailed("a final delete could not be noted beside the keyring")
