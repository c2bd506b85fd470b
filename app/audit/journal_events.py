"""The events about journal reports. None names the address that takes them: it is a secret."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStarted(Event):
    """Journal reports of a domain are taken, at a new address."""

    name = Kind.JOURNAL_STARTED
    domain_id: bytes
    domain: str
    networks: str  # from which alone; empty: from anywhere
    login: str  # of the server that alone may send them; empty: any


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStopped(Event):
    """No more journal reports of a domain are taken."""

    name = Kind.JOURNAL_STOPPED
    domain_id: bytes
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalUnread(Event):
    """An alarm, once a day and kind of trouble: a report was kept whole, for an administrator.
    Nothing of the report is recorded.
    """

    name = Kind.JOURNAL_UNREAD
    domain: str
    doubt: str
