"""The events about a domain's own mail server. None holds a word of mail, nor of the server's."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageStarted(Event):
    """A domain's primary mail server stopped answering, or turns all mail away."""

    name = Kind.OUTAGE_STARTED
    domain: str
    state: str  # down | refusing


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageChanged(Event):
    """The same outage goes on in another way."""

    name = Kind.OUTAGE_CHANGED
    domain: str
    state: str  # down | refusing


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageEnded(Event):
    """A domain's primary mail server answers again."""

    name = Kind.OUTAGE_ENDED
    domain: str
    lasted_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageDeclared(Event):
    """Somebody said that there is an outage; it lasts until somebody closes it."""

    name = Kind.OUTAGE_DECLARED
    domain: str
    reason: str
    keeps_mail: bool  # nothing is handed to the mail server until then


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageClosed(Event):
    """Somebody said that an outage is over, whatever the mail server does."""

    name = Kind.OUTAGE_CLOSED
    domain: str
    reason: str
    lasted_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSlow(Event):
    """A domain's primary mail server answers late, or puts mail off."""

    name = Kind.SERVER_SLOW
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPrompt(Event):
    """It answers and takes mail as usual again."""

    name = Kind.SERVER_PROMPT
    domain: str
    lasted_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSet(Event):
    """A domain's outages are told to a program. Only its host is recorded, never URL or secret."""

    name = Kind.WEBHOOK_SET
    domain: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRemoved(Event):
    """They are told to none any more."""

    name = Kind.WEBHOOK_REMOVED
    domain: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookOff(Event):
    """An alarm, once a day: events of a domain are told to nobody, since the secret is broken."""

    name = Kind.WEBHOOK_OFF
    domain: str
