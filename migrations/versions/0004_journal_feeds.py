"""Where journal reports of a domain come in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "journal_feed",
        sa.Column("domain_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("networks", sa.Text(), nullable=False),
        sa.Column("login", sa.String(length=200), nullable=False),
        sa.Column("quarantine_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["domain_id"], ["domain.id"]),
        sa.ForeignKeyConstraint(["quarantine_id"], ["mailbox.id"]),
        sa.PrimaryKeyConstraint("domain_id"),
    )
    with op.batch_alter_table("journal_feed", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_journal_feed_address_hash"), ["address_hash"], unique=False
        )
