"""How a domain's mail goes to its servers: with TLS if they offer it, always, or checked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for name in ("relay_tls", "smarthost_tls"):
        column = sa.Column(name, sa.String(length=8), nullable=False, server_default="may")
        op.add_column("domain", column)
