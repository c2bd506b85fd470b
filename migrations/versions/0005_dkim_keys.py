"""Keys that sign outgoing mail, and which of them sign."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column(
        "domain", sa.Column("dkim", sa.String(length=63), server_default="", nullable=False)
    )
    op.create_table(
        "dkim_key",
        sa.Column("domain_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("selector", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("algorithm", sa.String(length=8), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["domain_id"], ["domain.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("domain_id", "selector"),
    )
