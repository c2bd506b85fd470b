"""Counts of unread mail, and the side bar's, from the index alone."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.drop_index("ix_entry_mailbox_folder", "entry")
    columns = ["mailbox_id", "folder", "received_at", "seen", "starred", "day"]
    op.create_index("ix_entry_mailbox_folder", "entry", columns)
