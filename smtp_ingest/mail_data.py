"""What follows DATA: collecting one mail's octets (RFC 5321 sections 4.1.1.4 and 4.5.2).

Only CR LF "." CR LF ends the data, whatever the packets it comes in; the end may lie across any
number of them. Dots are unstuffed and line endings checked packet by packet, in bulk, while the
octets are in the processor's cache. Lines may have any length.

A mail that cannot be taken (too large, no room, irregular line endings) is not stored any
further, but still read to its end, where the refusal is due. No octet is ever answered before.
"""

from smtp_ingest import replies
from smtp_ingest.budget import OctetBudget
from smtp_ingest.newlines import is_regular
from smtp_ingest.replies import Reply

END = b"\r\n.\r\n"
_DOT_LINE = END[:3]


class MailOctets:
    """The octets of one mail as they gather; what cannot be taken is not kept."""

    def __init__(self, max_size: int, budget: OctetBudget, *, refuse_irregular: bool) -> None:
        self.refusal: Reply | None = None
        self.regular = True
        self.arrived = 0  # octets off the wire, stored or not
        self._max_size = max_size
        self._budget = budget
        self._refuse_irregular = refuse_irregular
        self._stored = bytearray()
        self._taken = 0

    def take(self) -> bytes:
        """Hand out the mail; the budget still counts it."""
        octets = bytes(self._stored)
        self._stored = bytearray()
        return octets

    def release(self) -> None:
        """Give the octets back to the budget; twice is no error."""
        self._budget.give(self._taken)
        self._taken = 0
        self._stored = bytearray()

    def _is_welcome(self, piece: bytes) -> bool:
        """Check a piece's line endings. It never ends between CR and LF."""
        if self.refusal is not None or not piece:
            return False
        if not is_regular(piece):
            self.regular = False
            if self._refuse_irregular:
                self._refuse(replies.BARE_NEWLINE)
                return False
        return True

    def _store(self, piece: bytes) -> None:
        size = len(self._stored) + len(piece)
        if size > self._max_size:
            self._refuse(replies.TOO_LARGE)
        elif not self._budget.take(len(piece), size=size):
            self._refuse(replies.NO_ROOM)
        else:
            self._taken += len(piece)
            self._stored += piece

    def _refuse(self, reply: Reply) -> None:
        self.refusal = reply
        self.release()


class MailDataReader(MailOctets):
    """Reads from the octet after DATA's own CR LF to the end of data, and unstuffs the dots."""

    def __init__(self, max_size: int, budget: OctetBudget, *, refuse_irregular: bool) -> None:
        super().__init__(max_size, budget, refuse_irregular=refuse_irregular)
        # The line ending of the DATA command counts: a dot right after it is a line of its own.
        self._held = END[:2]
        self._started = False

    def feed(self, octets: bytes) -> bytes | None:
        """Take what came. None: the data goes on; otherwise what came after its end."""
        if not octets:
            return None
        self.arrived += len(octets)
        wire = self._held + octets
        # Looking for one octet costs next to nothing, and base64 has no dot at all.
        first = wire.find(b".")
        dot = wire.find(_DOT_LINE, max(first - 2, 0)) if first >= 0 else -1
        end = wire.find(END, dot) if dot >= 0 else -1
        if end >= 0:
            self._held = b""
            # The line ending before the last dot belongs to the mail.
            self._take(wire[: end + 2], dotted=dot < end)
            return wire[end + len(END) :]
        keep = len(wire) - _length_of_possible_end(wire)
        self._held = wire[keep:]
        self._take(wire[:keep], dotted=dot >= 0)
        return None

    def _take(self, piece: bytes, *, dotted: bool) -> None:
        """Store a piece. It never ends between CR and LF, nor between CR LF and a dot."""
        if not self._is_welcome(piece):
            return
        if dotted:
            piece = piece.replace(_DOT_LINE, END[:2])
        if not self._started:
            self._started = True
            piece = piece[2:]
        self._store(piece)


def _length_of_possible_end(wire: bytes) -> int:
    """How many octets at the tail may be the beginning of the end of data."""
    if wire[-1] not in END:
        return 0
    for length in range(len(END) - 1, 0, -1):
        if wire.endswith(END[:length]):
            return length
    return 0
