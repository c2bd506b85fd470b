"""The octets of mail that all sessions of a process may hold at once.

Whoever takes gives back; what does not fit is refused 452, and the sender keeps it. A part is kept
for the beginnings of mails, and so for small ones: a few large mails, sent slowly, leave it free.
"""

SMALL = 64 * 1024  # octets of a mail that may draw on all of the budget


class OctetBudget:
    """A counter with two upper bounds. Used from one event loop only: needs no lock.

    What a mail has beyond `SMALL` leaves `kept` octets of the limit to others.
    """

    def __init__(self, limit: int, *, kept: int = 0) -> None:
        self._limit = limit
        self._kept = kept
        self._taken = 0

    @property
    def taken(self) -> int:
        """Octets in hand now."""
        return self._taken

    def fits(self, octets: int, *, size: int = 0) -> bool:
        """Whether that many of a mail of `size` could be taken now; promises nothing for later."""
        limit = self._limit if size <= SMALL else self._limit - self._kept
        return self._taken + octets <= limit

    def take(self, octets: int, *, size: int = 0) -> bool:
        """Take that many of a mail that has `size` with them, or nothing and False."""
        if not self.fits(octets, size=size):
            return False
        self._taken += octets
        return True

    def give(self, octets: int) -> None:
        """Give back what was taken."""
        self._taken -= octets
