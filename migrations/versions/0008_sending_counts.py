"""How many recipients people and domains have sent to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "sending_count",
        sa.Column("owner_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("refused", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "hour"),
    )
