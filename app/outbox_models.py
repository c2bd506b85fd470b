"""What the outboxes of browsers have sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from archive_store.db import Base, Id, Utc


class Submission(Base):
    """A mail that a browser sent from its outbox, by the name it gave it: it is sent once."""

    __tablename__ = "submission"
    user_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(36), primary_key=True)
    entry_id: Mapped[bytes] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(Utc, index=True)
