"""People are told of an outage at an address outside."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column(
        "domain",
        sa.Column("outside_notices", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "outside_address",
        sa.Column("user_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("code_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("asked_since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "outside_notice",
        sa.Column("outage_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("user_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("opening_at", sa.BigInteger(), nullable=True),
        sa.Column("closing_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["outage_id"], ["outage.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["person.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("outage_id", "user_id"),
    )
    op.create_index("ix_outside_notice_user_id", "outside_notice", ["user_id"])
