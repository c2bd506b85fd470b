"""The events about servers that log in to hand us mail."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpLoggedIn(Event):
    """A mail server logged in, once a day and network address. Its password is never recorded."""

    name = Kind.SMTP_LOGGED_IN
    login: str  # of SMTP_LOGINS


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpLoginFailed(Event):
    """Somebody failed to log in by SMTP: the first time in ten minutes, and when the network
    address has to wait. Neither password nor a name that is not ours is recorded.
    """

    name = Kind.SMTP_LOGIN_FAILED
    login: str  # of SMTP_LOGINS, or empty
    must_wait: bool
