"""The events about legal holds. None holds a word of mail, nor the words of a search."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldSearched(Event):
    """Somebody was told how much a search in a mailbox finds, to hold it. The search is never
    recorded, nor is anything of the mail shown.
    """

    name = Kind.HOLD_SEARCHED
    mailbox_id: bytes
    address: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPlaced(Event):
    """A mailbox, or what a search found, is kept beyond its days. The search is never recorded."""

    name = Kind.HOLD_PLACED
    hold_id: bytes
    address: str  # of the mailbox; empty when several were searched
    count: int  # what the search found; of a mailbox everything, which is not counted here
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldReleased(Event):
    """A hold was released: its key is destroyed, and what is past its days cannot be read."""

    name = Kind.HOLD_RELEASED
    hold_id: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMailOpened(Event):
    """A message under a hold was opened, to be read or to be written to a file."""

    name = Kind.HELD_MAIL_OPENED
    hold_id: bytes
    mailbox_id: bytes
    entry_id: bytes
    reason: str
