"""When a sender was told that a mail is late."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("queue_item", sa.Column("told_at", sa.BigInteger(), nullable=True))
