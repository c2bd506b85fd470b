"""The server that checks mail for a domain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    column = sa.Column("checked_by", sa.String(length=400), server_default="", nullable=False)
    op.add_column("domain", column)
