"""Of whom a domain demands a second factor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    column = sa.Column(
        "second_factor", sa.String(length=16), server_default="nobody", nullable=False
    )
    op.add_column("domain", column)
