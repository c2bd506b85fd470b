"""The events of sending. None names a recipient or holds a word of what was written."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(Event):
    """A message was sent. Its recipients are counted and never named."""

    name = Kind.MESSAGE_SENT
    mailbox_id: bytes
    entry_id: bytes
    identity: str  # the address that it was sent as
    recipients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageScheduled(Event):
    """Somebody pressed Send: it is sent at `leaves_at` unless it is taken back before."""

    name = Kind.MESSAGE_SCHEDULED
    mailbox_id: bytes
    entry_id: bytes
    identity: str  # the address that it is sent as
    recipients: int
    leaves_at: str  # RFC 3339


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTakenBack(Event):
    """What was to be sent is a draft again: nobody has got it."""

    name = Kind.MESSAGE_TAKEN_BACK
    mailbox_id: bytes
    entry_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageUnsubscribed(Event):
    """Somebody asked to leave the mailing list of a message (RFC 8058)."""

    name = Kind.MESSAGE_UNSUBSCRIBED
    mailbox_id: bytes
    entry_id: bytes
    host: str  # that was asked; never the address, which names the reader
    taken: bool  # it said yes


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageNotSent(Event):
    """Its time came and it could not be sent as it was: it is a draft again."""

    name = Kind.MESSAGE_NOT_SENT
    mailbox_id: bytes
    entry_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingLimited(Event):
    """A message was not sent, since a limit is reached; the first one of a window."""

    name = Kind.SENDING_LIMITED
    address: str  # of the person
    of: str  # person | domain: whose limit
    window: str  # hour | day
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureChanged(Event):
    """Somebody has another signature under the own mail. Its words are never here."""

    name = Kind.SIGNATURE_CHANGED
    identity: str  # the address that it belongs to
