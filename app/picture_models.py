"""The table of whose pictures from outside somebody always wants to see."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from archive_store.db import Base, Id, Utc

DIGEST_OCTETS = 32


class PictureSender(Base):
    """A sender whose pictures a person always sees. The address is there as a keyed digest."""

    __tablename__ = "picture_sender"

    user_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_OCTETS), primary_key=True)
    made_at: Mapped[datetime] = mapped_column(Utc)
