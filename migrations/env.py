"""Alembic's environment: works on the connection that `app.migration_runner` hands in."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

import app.models  # noqa: F401  its tables hang on Base
import archive_store.models  # noqa: F401  its tables hang on Base
from archive_store.db import Base, Utc


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A revision must not change when a type of ours does: write the type beneath it."""
    if kind == "type" and isinstance(item, Utc):
        return "sa.BigInteger()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=render_item,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
