"""When the index role holds back: a flood of mail is taken first and listed a moment later.

Taking mail and indexing it want the same processors and, with SQLite, the same write
lock; a sender waits for the one and nobody for the other. So indexing pauses while more
comes in than FLOOD, but never for longer than PATIENCE in a row: what lasts longer is
no flood, and people want to see their mail. Rates are entries a second.
"""

FLOOD = 250.0
PATIENCE = 5.0  # seconds
LOOK = 0.2  # seconds between two looks that a rate is taken from


class Pace:
    """Decides from the number of the newest entry. Times are those of a steady clock."""

    def __init__(self) -> None:
        self._newest: int | None = None
        self._looked_at = 0.0
        self._flood_since: float | None = None

    def holds_back(self, newest: int, now: float) -> bool:
        """Whether indexing should wait, now that `newest` is the highest number given."""
        since = now - self._looked_at
        if self._newest is None or since >= LOOK:
            rate = 0.0 if self._newest is None else (newest - self._newest) / since
            self._newest, self._looked_at = newest, now
            if rate <= FLOOD:
                self._flood_since = None
            elif self._flood_since is None:
                self._flood_since = now
        return self._flood_since is not None and now - self._flood_since < PATIENCE
