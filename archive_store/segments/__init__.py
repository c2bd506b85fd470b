"""Segments: sealed frames by day. A frame is written once; only its key slots are ever erased.

`append` returns when its frames would survive a power cut; `drop` removes a
whole day. One writer per segment, so processes need no locks between them. `local` keeps
them as files, `objects` in an object store.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class FrameRef:
    """Where a frame lies: octets from `offset`, `length` of them."""

    day: date
    segment: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Octets of a segment: one whole frame, or what lies there instead."""

    ref: FrameRef
    octets: bytes
    whole: bool
    torn: bool = False  # no frame, and what a crash can have left


@dataclass(frozen=True, slots=True)
class KeySlot:
    """Where a key lies: the wrap that begins `start` octets into a frame."""

    frame: FrameRef
    start: int


class SegmentStore(Protocol):
    """Sealed frames by day."""

    def append(self, day: date, frames: Sequence[bytes]) -> list[FrameRef]:
        """Return only when every frame would survive a power cut.

        Raises StoreFull or WriteFailed; then none of them counts as stored.
        """

    def read(self, ref: FrameRef) -> bytes:
        """The frame's octets; NotFound when its day has left, FrameBroken when torn.

        Its wraps may read as zeros: where they matter, see `read_with_wraps`.
        """

    def read_with_wraps(self, ref: FrameRef) -> bytes:
        """As `read`, with the wraps that are left in their places, as `scan` has them."""

    def scan(self, day: date) -> Iterator[tuple[FrameRef, bytes]]:
        """Every whole frame of a day, also those that lie behind a damaged one."""

    def survey(self, day: date) -> Iterator[Stretch]:
        """Every octet of a day: its frames, and what lies between them and is none."""

    def erase(self, slots: Sequence[KeySlot]) -> None:
        """Put zeros in the place of wraps, durably (the keys of deleted entries).

        What has left with its day is no error. After an error call it again: some are erased.
        """

    def drop(self, day: date) -> None:
        """Remove a whole day; dropping what is already gone is no error."""

    def days(self) -> list[date]:
        """The days of which anything is stored."""

    def names(self, day: date) -> list[str]:
        """The segments of a day, as FrameRef names them."""

    def take_out(self, day: date, name: str) -> Iterator[bytes]:
        """A whole segment with its wraps, piece by piece, for a backup; NotFound when it left."""

    def put_back(self, day: date, name: str, source: BinaryIO) -> None:
        """Bring back, durably, what `take_out` gave; a name that is there is WriteFailed."""

    def free_octets(self) -> int | None:
        """Room left, None where there is no such limit."""

    def close(self) -> None:
        """Let go of open files."""
