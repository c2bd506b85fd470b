"""`Live`: tells open pages that something changed in their mailbox, and when their session ended.

One look at the database serves all pages of a process, however many, and there is none while no
page is open. The look reads the newest rows of all mailboxes by their key: an order in which rows
were made, but not always committed, so it goes back over the latest ones each time. Nothing of
mail is read or told: not which message, not how many.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.accounts import sessions
from app.viewer import Viewer
from app.views import News
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import NotFound, StoreError
from archive_store.models import Entry

LATEST = 1000  # rows that a look goes back over
MOST_PAGES = 12  # of one session; a browser opens six connections, and one for all its tabs
INTERVAL = timedelta(seconds=1)
SESSIONS_EVERY = 5  # looks
PATIENCE = timedelta(seconds=20)


@dataclass(eq=False, slots=True)
class _Page:
    """An open page. `word` is what it has not heard yet."""

    mailbox_id: bytes
    session_id: bytes
    word: News | None = None
    told: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, word: News) -> None:
        self.word = word
        self.told.set()

    async def hear(self, patience: float) -> News:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.told.wait(), patience)
        self.told.clear()
        word, self.word = self.word, None
        return word or News.QUIET


_Rows = dict[int, tuple[bytes, tuple[object, ...]]]
_STATE = (Entry.folder, Entry.seen, Entry.starred, Entry.indexed)


class Live:
    """All methods belong to one event loop; the looks themselves are made in a thread."""

    def __init__(
        self,
        db: Database,
        now: Callable[[], datetime] = utc_now,
        interval: timedelta = INTERVAL,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._db = db
        self._now = now
        self._interval = interval.total_seconds()
        self._patience = patience.total_seconds()
        self._pages: set[_Page] = set()
        self._seen: _Rows | None = None
        self._looking = asyncio.Lock()
        self._closed = False

    def has_room(self, viewer: Viewer) -> bool:
        """Whether the session may open one more page that listens."""
        return sum(page.session_id == viewer.session_id for page in self._pages) < MOST_PAGES

    async def listen(self, viewer: Viewer) -> AsyncGenerator[News]:
        """QUIET at once and now and then, CHANGED for each change after that, ENDED last. It ends
        without a word when the process stops. NotFound for somebody who has no mailbox.
        """
        if viewer.mailbox_id is None:
            raise NotFound("no mailbox")
        page = _Page(viewer.mailbox_id, viewer.session_id)
        self._pages.add(page)
        try:
            if self._seen is None:
                await self.look()
            word = News.QUIET
            while not self._closed:
                yield word
                if word is News.ENDED:
                    return
                word = await page.hear(self._patience)
        finally:
            self._pages.discard(page)
            if not self._pages:
                self._seen = None

    @contextlib.contextmanager
    def running(self, stop: asyncio.Event) -> Iterator[None]:
        """Look, again and again, while the block runs. At `stop` all streams end, so that the
        process can stop at once; pages come back by themselves.
        """
        tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._close_at(stop))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    async def _run(self) -> None:
        for look in itertools.count(1):
            await asyncio.sleep(self._interval)
            if self._pages:
                await self.look()
                if look % SESSIONS_EVERY == 0:
                    await self._end_pages()

    async def _close_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._closed = True
        for page in self._pages:
            page.told.set()

    async def look(self) -> None:
        """Look once, and tell the pages of the mailboxes that changed since the last look."""
        async with self._looking:
            before = self._seen
            # The database is away: the next look finds what this one did not.
            with contextlib.suppress(StoreError):
                self._seen = await asyncio.to_thread(self._read, before)
            if before is None or self._seen is None:
                return
            changed = _changed(before, self._seen)
        for page in self._pages:
            if page.mailbox_id in changed and page.word is None:
                page.tell(News.CHANGED)

    def _read(self, before: _Rows | None) -> _Rows:
        with self._db.read() as tx:
            newest = max(before, default=0) if before else tx.scalar(select(func.max(Entry.seq)))
            query = select(Entry.seq, Entry.mailbox_id, *_STATE)
            rows = tx.connection().execute(query.where(Entry.seq > (newest or 0) - LATEST))
            return {seq: (mailbox_id, tuple(state)) for seq, mailbox_id, *state in rows}

    async def _end_pages(self) -> None:
        ids = list({page.session_id for page in self._pages})
        with contextlib.suppress(StoreError):
            live = await asyncio.to_thread(self._live, ids)
            for page in self._pages:
                if page.session_id in ids and page.session_id not in live:
                    page.tell(News.ENDED)

    def _live(self, ids: Sequence[bytes]) -> frozenset[bytes]:
        with self._db.read() as tx:
            return sessions.live_among(tx, ids, self._now())


def _changed(before: _Rows, after: _Rows) -> set[bytes]:
    """The mailboxes in which a row is new, different or gone."""
    lowest = max(before, default=0) - LATEST  # what is older was not looked for
    gone = {seq for seq in before if seq > lowest and seq not in after}
    new = {seq for seq, row in after.items() if before.get(seq) != row}
    return {before[seq][0] for seq in gone} | {after[seq][0] for seq in new}
