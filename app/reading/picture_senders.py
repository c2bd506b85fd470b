"""Whose pictures from outside a person always sees: chosen and taken back sender by sender.

Only mail that the domain's own checker has confirmed (`verdicts`) counts: anybody can write the
address of somebody whose pictures are shown, and would learn when his mail is read. So where
nobody checks mail, nothing can be chosen. An address is kept as a digest under a key that only
the keys role has: whoever copies the database cannot test a guess. What a one-time code began
changes none of this: it would outlast that session.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import delete, func, select

from app.accounts import sessions
from app.models import PictureSender
from app.secret import Secret
from app.viewer import Viewer
from app.views import OpenMessage
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import NotFound

MOST_SENDERS = 1_000  # of a person
_USE = "pictures from "  # no one-time code begins so, which are digested under the same key


class Digests(Protocol):
    """What is needed of the keys role."""

    def code_digests(self, user_id: bytes, codes: Sequence[Secret]) -> list[bytes]:
        """Digests that only this installation can make."""


class Senders(Protocol):
    """What is needed of reading."""

    def confirmed_sender(self, viewer: Viewer, entry_id: str) -> str:
        """The sender's address, if the checker has confirmed the mail; else empty."""


class PictureSenders:
    """The use cases. Safe to share between threads."""

    def __init__(
        self,
        db: Database,
        keys: Digests,
        reading: Senders,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._db = db
        self._keys = keys
        self._reading = reading
        self._now = now

    def count(self, viewer: Viewer) -> int:
        """How many a person has chosen."""
        mine = select(func.count()).where(PictureSender.user_id == viewer.user.id)
        with self._db.read() as tx:
            return tx.scalar(mine) or 0

    def shows(self, viewer: Viewer, opened: OpenMessage) -> bool:
        """Whether the pictures of a message that is open are shown."""
        sender, check = opened.parsed.sender, opened.check
        if check is None or not check.passed or not opened.genuine or sender is None:
            return False
        return self._is_chosen(viewer, sender.address)

    def shows_in(self, viewer: Viewer, entry_id: str) -> bool:
        """The same of a message that is not; NotFound where it is not the viewer's own."""
        return self.count(viewer) > 0 and self._is_chosen(
            viewer, self._reading.confirmed_sender(viewer, entry_id)
        )

    def choose(self, viewer: Viewer, entry_id: str) -> None:
        """Always show the pictures of this message's sender; NotFound where that is not proven."""
        sender = self._reading.confirmed_sender(viewer, entry_id)
        if not sender or self.count(viewer) >= MOST_SENDERS:
            raise NotFound("no confirmed sender")
        digest = self._digest(viewer, sender)
        with self._db.write() as tx:
            sessions.require_whole(tx, viewer)
            tx.merge(PictureSender(user_id=viewer.user.id, digest=digest, made_at=self._now()))

    def refuse(self, viewer: Viewer, entry_id: str) -> None:
        """Show them no more."""
        digest = self._digest(viewer, self._reading.confirmed_sender(viewer, entry_id))
        self._remove(viewer, digest)

    def refuse_all(self, viewer: Viewer) -> None:
        self._remove(viewer, None)

    def _remove(self, viewer: Viewer, digest: bytes | None) -> None:
        mine = delete(PictureSender).where(PictureSender.user_id == viewer.user.id)
        with self._db.write() as tx:
            sessions.require_whole(tx, viewer)
            tx.execute(mine if digest is None else mine.where(PictureSender.digest == digest))

    def _is_chosen(self, viewer: Viewer, address: str) -> bool:
        if not address or not self.count(viewer):
            return False
        key = viewer.user.id, self._digest(viewer, address)
        with self._db.read() as tx:
            return tx.get(PictureSender, key) is not None

    def _digest(self, viewer: Viewer, address: str) -> bytes:
        said = Secret(_USE + address.casefold())
        return self._keys.code_digests(viewer.user.id, [said])[0]
