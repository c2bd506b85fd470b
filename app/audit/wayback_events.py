"""The events of the way back to a domain's mailboxes. None holds a password or a word of mail."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapSet(Event):
    """How a domain's mailboxes are reached by IMAP was set. The password is never recorded."""

    name = Kind.IMAP_SET
    domain: str
    host: str
    master: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapOpened(Event):
    """An operator tried it out with a mailbox, which opens that; no mail was looked at."""

    name = Kind.IMAP_OPENED
    domain: str
    mailbox: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapRemoved(Event):
    """They are reached no more."""

    name = Kind.IMAP_REMOVED
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapRefused(Event):
    """An alarm, once a day: the server refuses the log-in, or the password does not open here."""

    name = Kind.IMAP_REFUSED
    domain: str
