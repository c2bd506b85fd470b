"""What somebody answered to an invitation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    column = sa.Column("participation", sa.String(length=16), server_default="", nullable=False)
    op.add_column("entry", column)
