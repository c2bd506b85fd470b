"""Pictures from outside, for all readers of this process: fetched, drawn anew, kept for a while.

The same address is fetched once in `KEPT_SECONDS`, whoever asks and however many do, so that its
server learns that somebody looked, not who nor how often. What could not be had is not asked for
again for `FAILURE_KEPT_SECONDS`. One reader has `AT_ONCE_OF_ONE` pictures fetched at a time: a mail
full of pictures of a server that keeps us waiting delays nobody else's. Memory is bounded by
`MOST_OCTETS_KEPT`; nothing is on the disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import Final
from weakref import WeakValueDictionary

from app.pictures.easel import Easel
from app.pictures.fetch import Fetcher, NotFetched
from app.pictures.picture import Picture

log = logging.getLogger(__name__)
KEPT_SECONDS: Final = 600.0
FAILURE_KEPT_SECONDS: Final = 60.0
MOST_OCTETS_KEPT: Final = 64 * 1024 * 1024
FAILURE_OCTETS: Final = 1024  # what remembering one counts as
AT_ONCE: Final = 16  # connections
AT_ONCE_OF_ONE: Final = 4
LONGEST_SIDE: Final = 2_400  # pixels


@dataclass(frozen=True, slots=True)
class _Kept:
    picture: Picture | None
    until: float

    @property
    def size(self) -> int:
        return FAILURE_OCTETS + (len(self.picture.octets) if self.picture else 0)


class RemotePictures:
    """Pictures by their addresses. For one event loop; `close` ends what it started."""

    def __init__(
        self, fetcher: Fetcher, easel: Easel, clock: Callable[[], float] = monotonic
    ) -> None:
        self._fetcher = fetcher
        self._easel = easel
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()  # the oldest first
        self._octets = 0
        self._at_work: dict[str, asyncio.Task[Picture | None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)
        self._rooms: WeakValueDictionary[bytes, asyncio.Semaphore] = WeakValueDictionary()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="easel")

    async def picture(self, url: str, reader: bytes) -> Picture | None:
        """The picture at an address, for a person of that id; None when there is none to be had.
        Raises for nothing.
        """
        if (kept := self._known(url)) is not None:
            return kept.picture
        room = self._rooms.get(reader)
        if room is None:
            room = self._rooms[reader] = asyncio.Semaphore(AT_ONCE_OF_ONE)
        async with room:
            if (kept := self._known(url)) is not None:
                return kept.picture
            task = self._at_work.get(url)
            if task is None:
                task = asyncio.create_task(self._fetched(url))
                self._at_work[url] = task
                task.add_done_callback(lambda _: self._at_work.pop(url))
            # A reader who leaves must not end it for the others.
            return await asyncio.shield(task)

    def close(self) -> None:
        """End the children that draw."""
        self._threads.shutdown(cancel_futures=True)
        self._easel.close()

    def _known(self, url: str) -> _Kept | None:
        kept = self._kept.get(url)
        return kept if kept is not None and kept.until > self._clock() else None

    async def _fetched(self, url: str) -> Picture | None:
        picture = None
        async with self._room:
            try:
                octets = await self._fetcher.fetch(url)
            except NotFetched as error:
                log.info("a picture from outside is not shown: %s", error)
            else:
                loop = asyncio.get_running_loop()
                picture = await loop.run_in_executor(
                    self._threads, self._easel.redraw, octets, LONGEST_SIDE
                )
        self._keep(url, picture)
        return picture

    def _keep(self, url: str, picture: Picture | None) -> None:
        seconds = FAILURE_KEPT_SECONDS if picture is None else KEPT_SECONDS
        self._drop(url)
        kept = _Kept(picture, self._clock() + seconds)
        self._kept[url] = kept
        self._octets += kept.size
        while self._octets > MOST_OCTETS_KEPT:
            self._drop(next(iter(self._kept)))

    def _drop(self, url: str) -> None:
        gone = self._kept.pop(url, None)
        if gone is not None:
            self._octets -= gone.size
