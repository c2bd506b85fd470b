"""What follows BDAT: one mail's octets in chunks of announced size (RFC 3030).

Nothing ends a chunk but its size, and no dot is stuffed. The octets of a chunk are read also when
it is refused: left in the stream, they would be taken for commands. BINARYMIME is not offered, so
lines end in CR LF here too; a chunk may end between the two.
"""

import re

from smtp_ingest import replies
from smtp_ingest.budget import OctetBudget
from smtp_ingest.commands import Refused
from smtp_ingest.mail_data import MailOctets
from smtp_ingest.replies import Reply

_BDAT = re.compile(r"([0-9]{1,20})(?: +(LAST))?", re.IGNORECASE)  # section 2


def parse_bdat(argument: str) -> tuple[int, bool]:
    """The size of the chunk in octets, and whether it is the last. Raises Refused.

    Then nobody knows where the next command begins: the session cannot go on.
    """
    match = _BDAT.fullmatch(argument)
    if match is None:
        raise Refused(replies.BAD_CHUNK)
    return int(match[1]), match[2] is not None


class ChunkReader(MailOctets):
    """Reads one chunk after the other; `begin` each."""

    def __init__(self, max_size: int, budget: OctetBudget, *, refuse_irregular: bool) -> None:
        super().__init__(max_size, budget, refuse_irregular=refuse_irregular)
        self.last = self.empty = False
        self._left = 0
        self._held = b""  # a CR whose LF may come

    @classmethod
    def unwanted(cls, reply: Reply) -> "ChunkReader":
        """For a chunk that comes out of order."""
        reader = cls(0, OctetBudget(0), refuse_irregular=False)
        reader.refusal = reply
        return reader

    def begin(self, size: int, *, last: bool) -> None:
        """The next chunk has so many octets."""
        self._left, self.last, self.empty = size, last, not size
        if self.refusal is None and self.arrived + size > self._max_size:
            self._refuse(replies.TOO_LARGE)

    def feed(self, octets: bytes) -> bytes | None:
        """Take what came. None: the chunk goes on; otherwise what came after its end."""
        size = min(self._left, len(octets))
        self.arrived += size
        self._left -= size
        ended = not self._left
        piece = self._held + octets[:size]
        # Between CR and LF only the end of the mail is an end.
        self._held = b"\r" if piece.endswith(b"\r") and not (ended and self.last) else b""
        piece = piece[: len(piece) - len(self._held)]
        if self._is_welcome(piece):
            self._store(piece)
        return octets[size:] if ended else None
