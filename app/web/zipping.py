"""Attachments as one ZIP archive, written while it is sent: one file is in memory at a time.

Nothing is compressed: most attachments are already. Names are those of single downloads
(`downloads.safe_name`): no path, nothing hidden; of two that are alike the later one gets a number.
"""

import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime

from app.web.downloads import safe_name


class _Pipe:
    """What a ZipFile writes to: it cannot go back in it."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, octets: bytes) -> int:
        self._written.append(bytes(octets))
        return len(octets)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        octets = b"".join(self._written)
        self._written.clear()
        return octets


def zipped(files: Iterable[tuple[str, bytes]], at: datetime) -> Iterator[bytes]:
    """The archive in pieces. `files`: names as their sender wrote them, and octets."""
    pipe = _Pipe()
    given: set[str] = set()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload] # needs no more
        for name, octets in files:
            entry = zipfile.ZipInfo(_free(safe_name(name), given), at.timetuple()[:6])
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, octets)
            yield pipe.taken()
    yield pipe.taken()


def _free(name: str, given: set[str]) -> str:
    """The name, or one with a number; capital letters make no other file on many systems."""
    stem, dot, ending = name.rpartition(".")
    if not stem:
        stem, dot, ending = name, "", ""
    number, wanted = 1, name
    while wanted.casefold() in given:
        number += 1
        wanted = f"{stem} ({number}){dot}{ending}"
    given.add(wanted.casefold())
    return wanted
