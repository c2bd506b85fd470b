"""Outages as records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "outage",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("domain_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("opened_by", sa.String(length=320), nullable=False),
        sa.Column("opened_why", sa.Text(), nullable=False),
        sa.Column("closed_by", sa.String(length=320), nullable=False),
        sa.Column("closed_why", sa.Text(), nullable=False),
        sa.Column("keeps_mail", sa.Boolean(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["domain_id"], ["domain.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("outage", schema=None) as batch_op:
        batch_op.create_index("ix_outage_domain_opened", ["domain_id", "opened_at"], unique=False)
    # An outage that is going on has begun already; its domain's id is as random as any.
    op.execute(
        "INSERT INTO outage (id, domain_id, state, opened_at, opened_by, opened_why, closed_by,"
        " closed_why, keeps_mail) SELECT domain_id, domain_id, state, since, '', '', '', '',"
        " CAST(0 AS BOOLEAN) FROM primary_health WHERE state <> 'up'"
    )
