"""Draws pictures of strangers anew, in killable children: for previews of attachments and for
pictures from outside.

`Easel.redraw` gives a `Picture` or None, and raises for no content: a file that is no picture,
breaks its decoder, takes too long or too much memory costs its own picture. Safe to share between
threads; a call waits for a free child. Children start with the first picture and end with `close`.
"""

from __future__ import annotations

from typing import Any, Final

from app.pictures.picture import REDRAW
from app.pictures.picture import Picture as Picture
from archive_store.errors import StoreBusy
from archive_store.mime.worker import ChildFailed, ParserPool, PoolLimits

LIMITS: Final = PoolLimits(children=2, seconds=6.0, memory=768 * 1024 * 1024, recycle_after=500)
MOST_OCTETS: Final = 20 * 1024 * 1024  # of the file a picture comes in
LONGEST_SIDE: Final = 4_096  # pixels that may be asked for


class Easel:
    """The children that draw."""

    def __init__(self, limits: PoolLimits = LIMITS) -> None:
        self._pool = ParserPool(limits, module="app.pictures.child")

    def redraw(self, octets: bytes, longest: int) -> Picture | None:
        """The picture, at most `longest` pixels (up to LONGEST_SIDE) on either side."""
        if not 0 < longest <= LONGEST_SIDE:
            raise ValueError(f"a picture of {longest} pixels")
        if len(octets) > MOST_OCTETS:
            return None
        try:
            return self._pool.ask(REDRAW, longest, [octets], read_picture)
        except (ChildFailed, StoreBusy):
            return None

    def close(self) -> None:
        """End the children."""
        self._pool.close()


def read_picture(row: Any, raw: bytes) -> Picture | None:
    """A child's answer."""
    if row is None:
        return None
    media_type, width, height = row
    return Picture(str(media_type), raw, int(width), int(height))
