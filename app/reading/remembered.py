"""`Remembered`: what is known of each live session's mailbox, in memory, and when it is dropped.

That is at the end of the session, after half an hour without use, when room is needed, and when
anything in it was deleted or is past its days. Safe to share between threads.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from app.reading.shelf import IDLE


class Mailbox(Protocol):
    """What is known of one; `used_at`: by its session."""

    used_at: datetime

    def __len__(self) -> int:
        """How many messages it knows of."""

    def __contains__(self, number: int) -> bool:
        """Whether it knows of this message."""

    def is_over(self, after: datetime) -> bool:
        """Whether it knows of a message that came no later than `after`."""


Kind = TypeVar("Kind", bound=Mailbox)


class Remembered(Generic[Kind]):
    """The mailboxes of all sessions, each made when it is first used."""

    def __init__(self, make: Callable[[datetime], Kind], most: int) -> None:
        """`most`: messages of all sessions together."""
        self._make = make
        self._most = most
        self._mailboxes: OrderedDict[bytes, Kind] = OrderedDict()
        self._lock = threading.Lock()

    def use(self, session_id: bytes, now: datetime) -> Kind:
        """The session's, which becomes the last to go."""
        with self._lock:
            if session_id not in self._mailboxes:
                self._mailboxes[session_id] = self._make(now)
            mailbox = self._mailboxes[session_id]
            mailbox.used_at = now
            self._mailboxes.move_to_end(session_id)
            return mailbox

    def forget(self, session_id: bytes) -> None:
        """Drop what is known for a session, at its end."""
        with self._lock:
            self._mailboxes.pop(session_id, None)

    def drop(self, numbers: Sequence[int]) -> None:
        """Messages were deleted for good: forget the mailboxes that they were in."""
        self._drop_where(lambda mailbox: any(number in mailbox for number in numbers))

    def prune(self, now: datetime, after: datetime) -> None:
        """Drop what nobody uses, and what knows of messages past their days."""
        self._drop_where(lambda one: now - one.used_at >= IDLE or one.is_over(after))

    def make_room(self) -> None:
        """Drop those that were not used for longest, until the others fit."""
        with self._lock:
            total = sum(len(mailbox) for mailbox in self._mailboxes.values())
            while total > self._most and self._mailboxes:
                _, mailbox = self._mailboxes.popitem(last=False)
                total -= len(mailbox)

    def _drop_where(self, fits: Callable[[Kind], bool]) -> None:
        with self._lock:
            for session_id, mailbox in list(self._mailboxes.items()):
                if fits(mailbox):
                    del self._mailboxes[session_id]
