"""What a browser sends from its own outbox is sent once, however often it comes.

A browser whose line failed cannot know whether the mail went before the answer was lost, so it
sends again. It gives each mail a name of its own (a UUID); the name is kept in the transaction
that stores the mail, so there is never one without the other, and a second mail of that name
fails in it (`AlreadySent`), also when both come at once.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.models import Submission
from app.upsert import insert_if_absent
from archive_store.errors import StoreError

NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # RFC 9562
KEPT = timedelta(days=14)  # a browser gives up after the days that mail is kept, at most


class AlreadySent(StoreError):
    """A mail of that name was sent before; `entry_id` is its entry."""

    def __init__(self, entry_id: bytes) -> None:
        super().__init__("already sent")
        self.entry_id = entry_id


def check(tx: Session, user_id: bytes, name: str) -> None:
    """AlreadySent, when this person has sent a mail of that name."""
    found = tx.get(Submission, (user_id, name)) if name else None
    if found is not None:
        raise AlreadySent(found.entry_id)


def note(tx: Session, user_id: bytes, name: str, entry_id: bytes, now: datetime) -> None:
    """In the transaction that stores the mail. AlreadySent: another one was faster."""
    if not name:
        return
    insert_if_absent(tx, Submission, user_id=user_id, name=name, entry_id=entry_id, at=now)
    found = tx.get_one(Submission, (user_id, name), populate_existing=True)
    if found.entry_id != entry_id:
        raise AlreadySent(found.entry_id)


def purge(tx: Session, now: datetime) -> None:
    """Forget the names that no browser sends any more."""
    tx.execute(delete(Submission).where(Submission.at < now - KEPT))
