"""The tables of addresses outside, and of who was told there of which outage."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from archive_store.db import Base, Id, Utc


class OutsideAddress(Base):
    """Where a person is told of an outage, while the own mail server is down: one at most.

    The address is sealed by the keys role, to this person and this `id`, which is new with each
    address. The row of one that was removed stays a day without it, for the count of codes.
    """

    __tablename__ = "outside_address"

    user_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[bytes] = mapped_column(Id)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    set_at: Mapped[datetime] = mapped_column(Utc)
    # SHA-256 of the code that was mailed there; None: none is, or it was used up.
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    code_sent_at: Mapped[datetime | None] = mapped_column(Utc)
    misses: Mapped[int] = mapped_column(default=0)  # wrong codes that were typed
    confirmed_at: Mapped[datetime | None] = mapped_column(Utc)
    asked: Mapped[int] = mapped_column(default=0)  # codes that were asked for since `asked_since`
    asked_since: Mapped[datetime] = mapped_column(Utc)


class OutsideNotice(Base):
    """A person is told of an outage outside: that it opened, and that it closed."""

    __tablename__ = "outside_notice"

    outage_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("outage.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    claimed_at: Mapped[datetime] = mapped_column(Utc)  # somebody is about to send it
    opening_at: Mapped[datetime | None] = mapped_column(Utc)
    closing_at: Mapped[datetime | None] = mapped_column(Utc)
