"""Reading a segment from end to end: its whole frames, and what lies there and is none.

A frame that is damaged hides nothing behind it: the next place where a whole frame begins
is looked for. What is no frame at the end of a segment is a torn tail when it can be what
a crash left of a batch that got no 250: cut off, or never filled.
"""

import os
from collections.abc import Iterator
from datetime import date
from typing import BinaryIO

from archive_store.segments import FrameRef, Stretch
from archive_store.segments.frame import HEADER, MAGIC, frame_length, is_whole

_STEP = 1 << 20


def survey(day: date, name: str, file: BinaryIO) -> Iterator[Stretch]:
    """Every octet of a segment, in order. What is added meanwhile is not looked at."""
    size = file.seek(0, os.SEEK_END)
    at = 0
    while at < size:
        frame = _frame_at(file, at, size)
        if frame is not None:
            yield Stretch(FrameRef(day, name, at, len(frame)), frame, whole=True)
            at += len(frame)
            continue
        end = _next_frame(file, at + 1, size)
        file.seek(at)
        octets = file.read(end - at)
        # A frame that is all there and does not agree with its checksum was not torn.
        torn = end == size and frame_length(octets[: HEADER.size]) != len(octets)
        yield Stretch(FrameRef(day, name, at, end - at), octets, whole=False, torn=torn)
        at = end


def _frame_at(file: BinaryIO, at: int, size: int) -> bytes | None:
    file.seek(at)
    header = file.read(HEADER.size)
    length = frame_length(header)
    # A damaged header can claim any length: never ask the memory for that.
    if length is None or at + length > size:
        return None
    frame = header + file.read(length - HEADER.size)
    return frame if is_whole(frame) else None


def _next_frame(file: BinaryIO, at: int, size: int) -> int:
    """Where the next whole frame begins; the end when there is none."""
    while at < size:
        file.seek(at)
        some = file.read(_STEP + len(MAGIC) - 1)
        found = some.find(MAGIC)
        while found >= 0:
            if _frame_at(file, at + found, size) is not None:
                return at + found
            found = some.find(MAGIC, found + 1)
        at += _STEP
    return size
