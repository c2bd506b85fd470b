"""The events about keys and the clock that their destruction goes by. None holds a key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysDestroyed(Event):
    """The key of a day was destroyed: from now on nothing of that day can be read."""

    name = Kind.KEYS_DESTROYED
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysBackedUp(Event):
    """The keyring was copied to a file."""

    name = Kind.KEYS_BACKED_UP


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysRestored(Event):
    """The keyring was put back from such a file."""

    name = Kind.KEYS_RESTORED


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysRewrapped(Event):
    """The keyring is sealed by another provider, or under another secret."""

    name = Kind.KEYS_REWRAPPED
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysLocked(Event):
    """An alarm, once a day: what opens the keyring does not answer, so nobody can read."""

    name = Kind.KEYS_LOCKED
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysUnlocked(Event):
    """The keyring could be opened again."""

    name = Kind.KEYS_UNLOCKED
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysOverdue(Event):
    """An alarm, once a day: no keys were made for the days ahead, so the keys role is away."""

    name = Kind.KEYS_OVERDUE
    last_day: date  # after it mail is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysForged(Event):
    """An alarm, once a day: somebody changed a public key in the database; mail is refused."""

    name = Kind.KEYS_FORGED
    series: str
    owner_id: bytes  # a mailbox, or a domain's mailbag or mail log


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockHeld(Event):
    """An alarm, once a day: the clock jumped ahead, so no key is destroyed by it."""

    name = Kind.CLOCK_HELD
    clock: str  # RFC 3339, as it stands
    believed: str  # what destruction goes by


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockConfirmed(Event):
    """An operator said that the clock is right after a jump."""

    name = Kind.CLOCK_CONFIRMED
