"""What a virus scanner said of the files of a message."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    for name, length in (("scan", 8), ("scan_found", 100), ("scan_by", 120)):
        column = sa.Column(name, sa.String(length=length), server_default="", nullable=False)
        op.add_column("entry", column)
