"""A limit on the octets of messages that are open in memory at the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Budget:
    """Lets work in while its octets fit; one that never fits comes in alone."""

    def __init__(self, octets: int) -> None:
        self._limit = octets
        self._free = octets
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def hold(self, octets: int) -> AsyncIterator[None]:
        """Wait for room, and give it back at the end."""
        share = min(octets, self._limit)
        async with self._changed:
            await self._changed.wait_for(lambda: self._free >= share)
            self._free -= share
        try:
            yield
        finally:
            async with self._changed:
                self._free += share
                self._changed.notify_all()
