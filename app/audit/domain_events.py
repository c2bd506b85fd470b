"""The events about domains and the keys that sign their mail. None holds a key."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainAdded(Event):
    """A domain was added."""

    name = Kind.DOMAIN_ADDED
    domain_id: bytes
    domain: str
    mode: str
    relay: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainChanged(Event):
    """A setting of a domain was changed."""

    name = Kind.DOMAIN_CHANGED
    domain_id: bytes
    domain: str
    setting: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEnabled(Event):
    """LiveArchive was switched on for a domain."""

    name = Kind.DOMAIN_ENABLED
    domain_id: bytes
    domain: str
    all_users: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainDisabled(Event):
    """LiveArchive was switched off for a domain."""

    name = Kind.DOMAIN_DISABLED
    domain_id: bytes
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimKeysMade(Event):
    """Keys were made that can sign a domain's mail."""

    name = Kind.DKIM_KEYS_MADE
    domain: str
    selector: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimKeysRemoved(Event):
    """Keys that signed a domain's mail were removed."""

    name = Kind.DKIM_KEYS_REMOVED
    domain: str
    selector: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailUnsigned(Event):
    """An alarm, once a day: mail of a domain left unsigned, since none of its keys opens."""

    name = Kind.MAIL_UNSIGNED
    domain: str
