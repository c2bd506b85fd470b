"""What the child that draws pictures and its parent tell each other."""

from dataclasses import dataclass
from typing import Final

REDRAW: Final = 16  # the operation


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that we drew: a PNG or a JPEG."""

    media_type: str
    octets: bytes
    width: int
    height: int
