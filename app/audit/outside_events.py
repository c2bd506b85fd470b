"""The events about addresses outside. None holds such an address."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideSet(Event):
    """A person is to be told of outages elsewhere, once that is confirmed. `address`: whose."""

    name = Kind.OUTSIDE_SET
    user_id: bytes
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideConfirmed(Event):
    """The person typed the code that was mailed there."""

    name = Kind.OUTSIDE_CONFIRMED
    user_id: bytes
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideRemoved(Event):
    """The address is forgotten."""

    name = Kind.OUTSIDE_REMOVED
    user_id: bytes
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideTold(Event):
    """Some people were mailed outside that an outage opened, or closed."""

    name = Kind.OUTSIDE_TOLD
    domain: str
    what: str  # opened | closed
    people: int
