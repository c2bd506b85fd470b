"""The events about the check for viruses."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class InfectedMailFound(Event):
    """clamd knew something in a message by a signature, whose name this is; no word of the mail."""

    name = Kind.MESSAGE_INFECTED
    mailbox_id: bytes
    entry_id: bytes
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFileRefused(Event):
    """Somebody asked for a file of an infected message, and was not given it."""

    name = Kind.LOCKED_FILE_REFUSED
    mailbox_id: bytes
    entry_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerSilent(Event):
    """An alarm, once a day: clamd does not answer, so that mail is not checked."""

    name = Kind.SCANNER_SILENT


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerAnswers(Event):
    """It answers again."""

    name = Kind.SCANNER_ANSWERS
