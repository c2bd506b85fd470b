"""Legal holds and the entries that they keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _create_legal_hold()
    _create_held_entry()


def _create_legal_hold() -> None:
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("domain_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("mailbox_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.String(length=320), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["domain_id"], ["domain.id"]),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("legal_hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_legal_hold_domain_id"), ["domain_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_legal_hold_mailbox_id"), ["mailbox_id"], unique=False)


def _create_held_entry() -> None:
    op.create_table(
        "held_entry",
        sa.Column("hold_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("tenant_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("mailbox_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("message_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("wrap", sa.LargeBinary(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("segment", sa.String(length=80), nullable=False),
        sa.Column(
            "frame_offset", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("frame_length", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hold_id", "entry_id"),
    )
    with op.batch_alter_table("held_entry", schema=None) as batch_op:
        batch_op.create_index("ix_held_entry_mailbox", ["mailbox_id"], unique=False)
        batch_op.create_index("ix_held_entry_segment_day", ["segment", "day"], unique=False)
