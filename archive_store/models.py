"""The tables of the store: what the disk knows.

Ids, days, arrival times, sizes, folders and flags are in clear; senders,
subjects, names, Message-IDs, text and the details of the mail log are sealed.
"""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from archive_store.db import Base, Id, Seq, Utc

FOLDERS = ("inbox", "sent", "drafts", "archive", "spam", "trash")
OUTBOX = "outbox"
"""Where a mail lies that is to be sent later: no folder that lists, searches or moves reach."""

GONE = "gone"
"""Where an entry lies that is deleted for good as soon as its key is erased: nothing shows it."""


class Mailbox(Base):
    """A protected address; its tenant is the domain that it belongs to."""

    __tablename__ = "mailbox"

    id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[bytes] = mapped_column(Id, index=True)
    address: Mapped[str] = mapped_column(String(320), unique=True)
    created_at: Mapped[datetime] = mapped_column(Utc)


class DayKey(Base):
    """One owner's key pair and summary key for one day of one series.

    `public` is signed by the directory key; `private` and `summary` are wrapped
    under the keyring's key of that day and are noise once it is destroyed.
    """

    __tablename__ = "day_key"
    __table_args__ = (UniqueConstraint("series", "owner_id", "day"),)

    id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    series: Mapped[str] = mapped_column(String(8))
    tenant_id: Mapped[bytes] = mapped_column(Id)
    owner_id: Mapped[bytes] = mapped_column(Id)
    day: Mapped[date] = mapped_column(index=True)
    public: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    private: Mapped[bytes] = mapped_column(LargeBinary)
    summary: Mapped[bytes] = mapped_column(LargeBinary)


class WriterKey(Base):
    """A writing process's short-lived key, sealed to a day key."""

    __tablename__ = "writer_key"

    id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    day_key_id: Mapped[bytes] = mapped_column(Id, ForeignKey("day_key.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(Utc)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (Index("ix_writer_key_day_key_id", "day_key_id"),)


class Message(Base):
    """The sealed octets of one message and where their frame lies."""

    __tablename__ = "message"

    id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[bytes] = mapped_column(Id)
    day: Mapped[date] = mapped_column(index=True)
    received_at: Mapped[datetime] = mapped_column(Utc)
    size: Mapped[int]
    segment: Mapped[str] = mapped_column(String(80))
    frame_offset: Mapped[int] = mapped_column(Seq)
    frame_length: Mapped[int]


class Entry(Base):
    """One message in one mailbox. Its wrap is what a final delete destroys."""

    __tablename__ = "entry"
    __table_args__ = (
        # The last three for the counts of the side bar, which then look at no row.
        Index(
            "ix_entry_mailbox_folder",
            *("mailbox_id", "folder", "received_at", "seen", "starred", "day"),
        ),
        # Small on purpose: the index role asks for these all day long.
        Index(
            "ix_entry_unindexed",
            "seq",
            sqlite_where=text("indexed = 0"),
            postgresql_where=text("NOT indexed"),
        ),
        Index("ix_entry_message", "message_id"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    id: Mapped[bytes] = mapped_column(Id, unique=True)
    mailbox_id: Mapped[bytes] = mapped_column(Id, ForeignKey("mailbox.id"))
    message_id: Mapped[bytes] = mapped_column(Id, ForeignKey("message.id"))
    folder: Mapped[str] = mapped_column(String(16))
    received_at: Mapped[datetime] = mapped_column(Utc)
    day: Mapped[date] = mapped_column(index=True)
    size: Mapped[int]
    slot: Mapped[int]  # which key slot of the frame is this entry's
    writer_key_id: Mapped[bytes] = mapped_column(Id)
    wrap: Mapped[bytes] = mapped_column(LargeBinary)
    envelope: Mapped[bytes] = mapped_column(LargeBinary)
    seen: Mapped[bool] = mapped_column(default=False)
    answered: Mapped[bool] = mapped_column(default=False)
    forwarded: Mapped[bool] = mapped_column(default=False)
    starred: Mapped[bool] = mapped_column(default=False)
    attachments: Mapped[bool] = mapped_column(default=False)
    indexed: Mapped[bool] = mapped_column(default=False)
    trashed_from: Mapped[str] = mapped_column(String(16), default="")
    participation: Mapped[str] = mapped_column(
        String(16), default="", server_default=""
    )  # in the event that it invites to
    scan: Mapped[str] = mapped_column(String(8), default="", server_default="")
    """What a virus scanner said of the message: nothing yet, clean, infected, large."""
    scan_found: Mapped[str] = mapped_column(String(100), default="", server_default="")
    scan_by: Mapped[str] = mapped_column(String(120), default="", server_default="")


class EntryIndex(Base):
    """What listing and searching need of an entry, under its day's summary key."""

    __tablename__ = "entry_index"

    entry_seq: Mapped[int] = mapped_column(
        Seq, ForeignKey("entry.seq", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    summary: Mapped[bytes] = mapped_column(LargeBinary)
    words: Mapped[bytes] = mapped_column(LargeBinary)


class MaillogLine(Base):
    """One sealed line of what became of a message, readable by its domain's administrators."""

    __tablename__ = "maillog_line"
    __table_args__ = (Index("ix_maillog_line_tenant_at", "tenant_id", "at"),)

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    tenant_id: Mapped[bytes] = mapped_column(Id)
    message_id: Mapped[bytes] = mapped_column(Id, index=True)
    day: Mapped[date] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(Utc)
    writer_key_id: Mapped[bytes] = mapped_column(Id)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class HeldEntry(Base):
    """One entry under a legal hold, its content key sealed anew under the hold's; it outlives
    its day.

    `segment` is empty until the octets were copied out of their own day's segments, just before
    that day leaves; until then they lie where the message's row says. `wrap` is empty when
    the entry could not be opened any more when it was to be held.
    """

    __tablename__ = "held_entry"
    __table_args__ = (
        Index("ix_held_entry_mailbox", "mailbox_id"),
        Index("ix_held_entry_segment_day", "segment", "day"),
    )

    hold_id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    entry_id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    tenant_id: Mapped[bytes] = mapped_column(Id)
    mailbox_id: Mapped[bytes] = mapped_column(Id)
    message_id: Mapped[bytes] = mapped_column(Id)
    received_at: Mapped[datetime] = mapped_column(Utc)
    day: Mapped[date]
    size: Mapped[int]
    wrap: Mapped[bytes] = mapped_column(LargeBinary)
    envelope: Mapped[bytes] = mapped_column(LargeBinary)
    segment: Mapped[str] = mapped_column(String(80), default="")
    frame_offset: Mapped[int] = mapped_column(Seq, default=0)
    frame_length: Mapped[int] = mapped_column(default=0)
