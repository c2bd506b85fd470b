"""Leaving a mailing list by the one press of RFC 8058, when a person has asked for it.

One POST, over https, with the field that the standard names and nothing of the reader: no cookie,
no referrer, and no redirect is followed. It goes the way of the pictures, to public addresses
alone. That it was done is audited, with the host that was asked.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from app import audit
from app.audit.events import MessageUnsubscribed
from app.leaving_views import Leaving
from app.pictures.fetch import NotFetched
from app.pictures.web_address import WebAddress
from app.reading.leaving import ONE_CLICK
from app.viewer import Viewer
from archive_store import ids
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import NotFound

log = logging.getLogger(__name__)
Post = Callable[[str, bytes], Awaitable[None]]  # raises NotFetched


class Offers(Protocol):
    """The reading of mail, as far as lists go."""

    def leaving(self, viewer: Viewer, entry_id: str) -> Leaving | None: ...


class ListDesk:
    """The use cases of leaving a list. `post` None: nothing is asked outside of this service."""

    def __init__(
        self, db: Database, offers: Offers, post: Post | None, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._db = db
        self._offers = offers
        self._post = post
        self._now = now

    def offer(self, viewer: Viewer, entry_id: str) -> Leaving:
        """How the list of a mail is left. NotFound: it is no mail of a list that says so."""
        found = self._offers.leaving(viewer, entry_id)
        if found is None:
            raise NotFound("no such list")
        return found

    def leave(self, viewer: Viewer, entry_id: str) -> bool:
        """Press; whether the list's server took it. Waits for that server, at most 10 s."""
        url = self.offer(viewer, entry_id).url
        if not url or self._post is None:
            raise NotFound("no such press")
        try:
            asyncio.run(self._pressed(self._post, url))
        except NotFetched as error:
            log.info("a list was not left: %s", error)
            taken = False
        else:
            taken = True
        event = MessageUnsubscribed(
            mailbox_id=viewer.mailbox_id or b"",
            entry_id=ids.read(entry_id),
            host=WebAddress.parse(url).host,
            taken=taken,
        )
        with self._db.write() as tx:
            audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=self._now())
        return taken

    @staticmethod
    async def _pressed(post: Post, url: str) -> None:
        await post(url, ONE_CLICK.encode())
