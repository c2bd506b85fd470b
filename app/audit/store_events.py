"""The events about what is stored, and about the place where segments lie."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketUnfit(Event):
    """An alarm, once a day: what is deleted in the object store would stay, or come back."""

    name = Kind.BUCKET_UNFIT
    bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailUnreadable(Event):
    """An alarm, once a day: stored mail could not be read, or is not where it was put."""

    name = Kind.MAIL_UNREADABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupMade(Event):
    """The data was copied to a folder."""

    name = Kind.BACKUP_MADE


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRestored(Event):
    """The data came back from a folder."""

    name = Kind.BACKUP_RESTORED


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreChecked(Event):
    """Messages were opened to see whether they open; those that do not may be taken out."""

    name = Kind.STORE_CHECKED
    entries: int
    taken_out: int = 0
