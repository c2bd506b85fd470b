"""Messages whose octets could not be read: each rests a while, and is tried again a few times.

A disk that failed once may give them the next time, and a folder that was not mounted comes back;
meanwhile they hold up nobody else. What was never read within two hours is given up. A process that
ends forgets all of it, and its successor begins to count anew. Seconds are those of `monotonic`.
"""

from archive_store.errors import StoreError

RETRY_SECONDS = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
MOST = 500  # more than these are no bad places of a disk, but a disk that is away
_KEPT_SECONDS = 3600.0  # of one whose time has come and that nobody asks for: its day has left


class Resting:
    """What is put off. For one thread."""

    def __init__(self) -> None:
        self._by_id: dict[bytes, tuple[int, float]] = {}  # failures so far, and when it is tried

    def until(self, now: float) -> list[bytes]:
        """Those whose time has not come."""
        for message_id, (_, due) in list(self._by_id.items()):
            if now - due >= _KEPT_SECONDS:
                del self._by_id[message_id]
        return [message_id for message_id, (_, due) in self._by_id.items() if due > now]

    def put_off(self, message_id: bytes, error: StoreError, now: float) -> bool:
        """Put off one that failed; False when that was its last try.

        Raises the error when too many rest already: then everything has to wait.
        """
        failures, _ = self._by_id.pop(message_id, (0, 0.0))
        if failures == len(RETRY_SECONDS):
            return False
        if len(self._by_id) >= MOST:
            raise error
        self._by_id[message_id] = failures + 1, now + RETRY_SECONDS[failures]
        return True

    def done(self, message_id: bytes) -> None:
        """It was read."""
        self._by_id.pop(message_id, None)
