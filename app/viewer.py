"""Who is asking: the person behind a web request, and the actor an audit event names.

Pure values: nothing here reads the database. `accounts.sessions.current` makes a
`Viewer` from a session cookie, once per request; every use case takes it from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from app.secret import Secret


class Role(StrEnum):
    """What a person may do; `accounts.permissions` says what follows from each."""

    USER = "user"
    DOMAIN_ADMIN = "domain-admin"
    AUDITOR = "auditor"
    PROVIDER = "service-provider"


class Method(StrEnum):
    """How a session was begun."""

    PASSWORD = "password"  # noqa: S105  the name of a way, not a password
    PASSWORD_APP = "password+app"  # noqa: S105  likewise
    PASSWORD_CODE = "password+code"  # noqa: S105  likewise
    PASSKEY = "passkey"
    CODE = "code"
    GIVEN_CODE = "given-code"  # by an administrator

    @property
    def is_limited(self) -> bool:
        """Whether it reads and answers mail, and changes nothing about the account."""
        return self in (Method.CODE, Method.GIVEN_CODE)


class Via(StrEnum):
    """The door through which an actor came."""

    WEB = "web"
    COMMAND = "command"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did what an audit event tells. `address` is empty when nobody is known."""

    user_id: bytes | None = None
    address: str = ""
    client_ip: str = ""
    via: Via = Via.WEB

    @classmethod
    def command_line(cls, operator: str) -> Self:
        """Somebody with a shell on the server; `operator` is the system's name for him."""
        return cls(address=operator, via=Via.COMMAND)

    @classmethod
    def system(cls, part: str) -> Self:
        """The product itself; `part` is the role that acted, such as "sweep"."""
        return cls(address=part, via=Via.SYSTEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user's facts as they were when the session was looked up."""

    id: bytes
    address: str
    name: str
    role: Role
    domain_id: bytes | None  # None: a service provider who belongs to no domain
    domain_name: str = ""
    checked_by: str = ""  # the server whose word the domain takes of mail (`accounts.checking`)
    live: bool = True  # LiveArchive is switched on for this person and the domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A person with a live session."""

    user: Person
    mailbox_id: bytes | None
    token: Secret  # the raw session token: the keys role asks for it
    client_ip: str
    session_id: bytes = b""  # SHA-256 of the token: names the session in lists

    @property
    def actor(self) -> Actor:
        return Actor(user_id=self.user.id, address=self.user.address, client_ip=self.client_ip)
