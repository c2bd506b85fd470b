"""What the child that draws pictures and its parent tell each other."""

from dataclasses import dataclass
from typing import Final

REDRAW: Final = 16  # the operations
LOOK: Final = 17
DRAW: Final = 18


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that we drew: a PNG or a JPEG."""

    media_type: str
    octets: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of a PDF: its size in points, and what is written on it."""

    width: int
    height: int
    text: str


@dataclass(frozen=True, slots=True)
class Sheets:
    """How many pages a PDF has, and some of them in a row."""

    count: int
    sheets: tuple[Sheet, ...]
