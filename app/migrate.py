"""Bringing a database to the schema of this version.

`upgrade` compares two short texts and returns at once when there is nothing to do; only
otherwise is Alembic loaded, whose import takes seconds. The whole upgrade is one
transaction (both databases can roll back a changed schema) under a lock, so a second
process waits and then finds nothing to do. The lock is SQLite's own write lock, or an
advisory lock of PostgreSQL. A database of a newer version is refused with ConfigError.

The revisions lie in migrations/versions, one file each, named NUMBER_what.py.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from app.resources import resource_dir
from archive_store.db import Database
from archive_store.errors import ConfigError

VERSION_TABLE = "alembic_version"
_ADVISORY_LOCK = 0x4C41_4D49  # "LAMI": any number that nobody else of this database uses


def upgrade(url: str) -> bool:
    """Make or upgrade the schema; True when there was something to do."""
    db = Database(url)
    try:
        with db.read() as tx:
            if not _is_behind(tx.connection()):
                return False
        with db.write() as tx:
            connection = tx.connection()
            if connection.dialect.name == "postgresql":
                lock = text("SELECT pg_advisory_xact_lock(:key)")
                connection.execute(lock, {"key": _ADVISORY_LOCK})
            if not _is_behind(connection):
                return False
            # By name, because it loads Alembic, which most starts never need.
            runner: Any = import_module("app.migration_runner")
            runner.run(connection)
            return True
    finally:
        db.close()


def is_current(url: str) -> bool:
    """Whether a database has this version's schema; ConfigError when it is a newer one."""
    db = Database(url)
    try:
        with db.read() as tx:
            return not _is_behind(tx.connection())
    finally:
        db.close()


def newest_revision() -> str:
    """The number of the newest revision that this version knows."""
    return max(path.name.partition("_")[0] for path in _revision_files())


def current_revision(connection: Connection) -> str:
    """The number of the revision that a database has; empty: none yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return ""
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608  a constant
    return str(found.scalar() or "")


def _is_behind(connection: Connection) -> bool:
    has, newest = current_revision(connection), newest_revision()
    if has > newest:
        raise ConfigError(
            f"DATABASE_URL: the database is of a newer version of LiveArchive (schema {has}, "
            f"this one knows {newest}): install that version, or restore a backup"
        )
    return has != newest


def _revision_files() -> list[Path]:
    return sorted((resource_dir("migrations") / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))
