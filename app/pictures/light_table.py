"""Shows the pages of strangers' PDF files, drawn in killable children.

`look` and `draw` give what there is to see or None, and raise for no content: a file that is no
PDF, breaks its reader, takes too long or too much memory costs its own pages. Safe to share between
threads. Children start with the first document and end with `close`.
"""

from __future__ import annotations

from typing import Any, Final

from app.pictures.easel import MOST_OCTETS, read_picture
from app.pictures.picture import DRAW, LOOK, Picture, Sheet, Sheets
from archive_store.errors import StoreBusy
from archive_store.mime.worker import ChildFailed, ParserPool, PoolLimits

LIMITS: Final = PoolLimits(children=2, seconds=6.0, memory=768 * 1024 * 1024, recycle_after=200)
LAST_PAGE: Final = 2**16 - 1


class LightTable:
    """The children that draw pages."""

    def __init__(self, limits: PoolLimits = LIMITS) -> None:
        self._pool = ParserPool(limits, module="app.pictures.sheet_child")

    def look(self, octets: bytes, first: int) -> Sheets | None:
        """How many pages a PDF has, and the next few from a page on (the first is 1)."""
        if len(octets) > MOST_OCTETS or not 1 <= first <= LAST_PAGE:
            return None
        try:
            return self._pool.ask(LOOK, first, [octets], _read)
        except (ChildFailed, StoreBusy):
            return None

    def draw(self, octets: bytes, number: int, longest: int) -> Picture | None:
        """One page, `longest` pixels on its longer side."""
        if len(octets) > MOST_OCTETS or not 1 <= number <= LAST_PAGE:
            return None
        try:
            return self._pool.ask(DRAW, number << 16 | longest, [octets], read_picture)
        except (ChildFailed, StoreBusy):
            return None

    def close(self) -> None:
        """End the children."""
        self._pool.close()


def _read(row: Any, raw: bytes) -> Sheets | None:
    if row is None:
        return None
    count, sheets = row
    return Sheets(int(count), tuple(Sheet(int(w), int(h), str(text)) for w, h, text in sheets))
