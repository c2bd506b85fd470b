"""How people write: the signature of each identity, plain or rich text, where the quote stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("identity", sa.Column("signature", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "person", sa.Column("rich_text", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column(
        "person",
        sa.Column("quoting", sa.String(length=8), server_default="below", nullable=False),
    )
