"""The tables of the product in an empty database, made as fast as a test that wants them.

SQLAlchemy asks for each table whether it is there, then makes it and each of its indexes by a
statement of its own: for some thousands of databases that is minutes. Here SQLite gets a copy of a
file with empty tables, and PostgreSQL all statements at once.
"""

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import create_mock_engine
from sqlalchemy.schema import ExecutableDDLElement

import app.models  # noqa: F401  its tables hang on Base
from archive_store.db import Base, Database


def make_tables(db: Database) -> None:
    """Make every table, where there is none yet."""
    if db.is_sqlite:
        Path(db.url.database or "").write_bytes(_sqlite_file())
        return
    with db.engine.begin() as connection:
        connection.exec_driver_sql(_postgresql_statements())


@cache
def _sqlite_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tables.sqlite3"
        db = Database(f"sqlite:///{path}")
        Base.metadata.create_all(db.engine)
        assert db.checkpoint()  # nothing waits in the write-ahead log
        db.close()
        return path.read_bytes()


@cache
def _postgresql_statements() -> str:
    statements = []

    def keep(statement: ExecutableDDLElement, *_: object, **__: object) -> None:
        statements.append(str(statement.compile(dialect=engine.dialect)))

    engine = create_mock_engine("postgresql+psycopg://", keep)
    Base.metadata.create_all(engine, checkfirst=False)
    return ";\n".join(statements)
