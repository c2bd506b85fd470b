"""The stream of changes in memory: it says what a test has it say."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from app.viewer import Viewer
from app.views import News


@dataclass
class LiveDouble:
    """Streams on which is said what tests add to `said`. Without `stays` they end at once."""

    said: list[News] = field(default_factory=list)
    stays: bool = False
    full: bool = False
    listening: set[object] = field(default_factory=set)

    def has_room(self, viewer: Viewer) -> bool:
        return not self.full

    async def listen(self, viewer: Viewer) -> AsyncGenerator[News]:
        heard = len(self.said) if self.stays else 0
        yield News.QUIET
        me = object()
        self.listening.add(me)
        try:
            while self.stays or heard < len(self.said):
                if heard < len(self.said):
                    heard += 1
                    yield self.said[heard - 1]
                else:
                    await asyncio.sleep(0.02)
        finally:
            self.listening.discard(me)
