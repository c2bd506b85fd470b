"""Insert a row unless its key is taken: the one statement that each database spells apart."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from archive_store.db import Base


def insert_if_absent(tx: Session, table: type[Base], **values: Any) -> None:
    """Insert; when two processes do so at once, one row is there afterwards."""
    dialect = postgresql if tx.get_bind().dialect.name == "postgresql" else sqlite
    tx.execute(dialect.insert(table).values(**values).on_conflict_do_nothing())
