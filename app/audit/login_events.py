"""The events of the ways to log in.

No code, secret or key of any of them is ever recorded, nor the name that a person gave a passkey.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfPerson(Event):
    """Whose ways to log in."""

    user_id: bytes
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginConfirmed(Event):
    """A person with a live session proved once more who it is. Of the proof, its kind alone."""

    name = Kind.LOGIN_CONFIRMED
    proof: str  # password | app | code | passkey


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesMade(_OfPerson):
    """A person made a list of one-time codes; an earlier list ended. No code is recorded."""

    name = Kind.CODES_MADE
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesRemoved(_OfPerson):
    """A person ended the list of one-time codes."""

    name = Kind.CODES_REMOVED


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeGiven(_OfPerson):
    """An administrator made a one-time code for a person. The code is not recorded."""

    name = Kind.CODE_GIVEN
    minutes: int  # how long it is valid


@dataclass(frozen=True, slots=True, kw_only=True)
class AppAdded(_OfPerson):
    """A person set up an authenticator app. Its secret is not recorded."""

    name = Kind.APP_ADDED


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRemoved(_OfPerson):
    """A person removed the authenticator app."""

    name = Kind.APP_REMOVED


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyAdded(_OfPerson):
    """A person added a passkey. Neither its key nor its name is recorded."""

    name = Kind.PASSKEY_ADDED
    passkey_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRemoved(_OfPerson):
    """A person removed a passkey."""

    name = Kind.PASSKEY_REMOVED
    passkey_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodsReset(_OfPerson):
    """An administrator removed all ways to log in but the password; every session ended."""

    name = Kind.METHODS_RESET
