"""What the pages about logging in show, and what leads them elsewhere; see `app.views`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.secret import Secret
from app.views import SessionView


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyView:
    """One of the person's own passkeys."""

    id: str
    name: str
    made_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodsView:
    """What the person can log in with, beside the password."""

    app_since: datetime | None
    passkeys: tuple[PasskeyView, ...]
    codes_left: int
    codes_made_at: datetime | None  # None: no list was made
    offers_passkeys: bool  # this site's address allows them


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSetup:
    """A new authenticator app, before its first code: what is scanned, or typed."""

    uri: str
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginNews:
    """What a session tells its person: log-ins in new browsers, and what was taken away."""

    log_ins: tuple[SessionView, ...] = ()
    methods_reset_at: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self.log_ins) or self.methods_reset_at is not None


class SecondStep(Exception):
    """The password was right, and a code has to follow: `token` is of this step alone."""

    def __init__(self, token: Secret) -> None:
        super().__init__("a code has to follow")
        self.token = token


class StepOver(Exception):
    """The first half of a log-in is too long ago, or was used: begin again."""


class NotConfirmed(Exception):
    """The person has to prove first to be there still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideView:
    """Where a person is told of an outage. `told`: the domain has it switched on."""

    state: Literal["none", "asked", "confirmed"] = "none"
    address: str = ""
    told: bool = False
