"""The wraps of a segment that cannot be changed in place, apart from its frames.

An object of an object store is written whole. So its frames are stored with zeros in the
place of their wraps, and these stand in a small object beside it, which an erasure
replaces:

    magic "LAW1" 4 | per wrap: its place in the segment 8 | wrap 60

Numbers are big endian. What is erased is no longer named. There is no checksum: a wrap
is authenticated by itself.
"""

import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Self

from archive_store.errors import FrameBroken
from archive_store.seal import WRAP_OCTETS
from archive_store.segments.frame import ERASED, wrap_positions
from archive_store.segments.survey import survey

MAGIC = b"LAW1"
_WRAP = struct.Struct(f">Q{WRAP_OCTETS}s")


@dataclass(frozen=True, slots=True)
class Wraps:
    """Wraps by their place in a segment, in octets from its beginning."""

    by_place: Mapping[int, bytes]

    @classmethod
    def taken_from(cls, segment: bytes) -> tuple[bytes, Self]:
        """The octets of a segment with zeros for wraps, and the wraps of its whole frames."""
        blank = bytearray(segment)
        found = {}
        for stretch in survey(date.min, "", BytesIO(segment)):
            for position in wrap_positions(stretch.octets) if stretch.whole else ():
                place = stretch.ref.offset + position
                found[place] = bytes(blank[place : place + WRAP_OCTETS])
                blank[place : place + WRAP_OCTETS] = ERASED
        return bytes(blank), cls({at: wrap for at, wrap in found.items() if wrap != ERASED})

    @classmethod
    def parted(cls, frames: Sequence[bytes]) -> tuple[bytes, Self]:
        """The same for frames that are known to be whole; a large one is copied but once."""
        parts: list[bytearray | memoryview] = []
        found = {}
        start = 0
        for frame in frames:
            positions = wrap_positions(frame)
            head = bytearray(frame[: positions[-1] + WRAP_OCTETS] if positions else b"")
            for at in positions:
                found[start + at] = bytes(head[at : at + WRAP_OCTETS])
                head[at : at + WRAP_OCTETS] = ERASED
            parts += [head, memoryview(frame)[len(head) :]]
            start += len(frame)
        return b"".join(parts), cls(found)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """FrameBroken when these are no wraps."""
        if octets[: len(MAGIC)] != MAGIC or (len(octets) - len(MAGIC)) % _WRAP.size:
            raise FrameBroken("the keys of a segment are damaged")
        return cls(dict(_WRAP.iter_unpack(octets[len(MAGIC) :])))

    def encode(self) -> bytes:
        """The octets of the small object."""
        return MAGIC + b"".join(_WRAP.pack(*pair) for pair in self.by_place.items())

    def without(self, places: Collection[int]) -> Self:
        """What is left when some are erased."""
        kept = {place: wrap for place, wrap in self.by_place.items() if place not in places}
        return type(self)(kept)

    def put_into(self, octets: bytes, start: int = 0) -> bytes:
        """What lies in a segment from `start` on, with its wraps; those outside are passed over."""
        whole = bytearray(octets)
        for place, wrap in self.by_place.items():
            at = place - start
            if 0 <= at <= len(whole) - WRAP_OCTETS:
                whole[at : at + WRAP_OCTETS] = wrap
        return bytes(whole)
