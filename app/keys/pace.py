"""How often somebody may do a thing."""

from collections import deque
from datetime import datetime, timedelta

from archive_store.errors import TooMany

WINDOW = timedelta(minutes=1)


class Pace:
    """Counts what each of many does, and refuses more than `most` within any minute.

    A refusal counts for nothing. Not thread-safe: used under the agent's lock.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: dict[bytes, deque[datetime]] = {}

    def take(self, who: bytes, count: int, now: datetime) -> None:
        """Note that `who` does it `count` times; TooMany when that is more than may be."""
        self._forget(now - WINDOW)
        times = self._times.setdefault(who, deque(maxlen=self._most))
        if len(times) + count > self._most:
            raise TooMany("that was too much for one minute")
        times.extend([now] * count)

    def _forget(self, until: datetime) -> None:
        for who, times in list(self._times.items()):
            while times and times[0] <= until:
                times.popleft()
            if not times:
                del self._times[who]
