"""The database: SQLite in the data folder, or PostgreSQL by URL.

Every difference between the two lives here. `read()` and `write()` give a
session inside one transaction; `write()` commits at its end and rolls back on
any error. Failures arrive as `StoreBusy` (locked, gone), `StoreFull` or `WriteFailed`. No error
text quotes what was bound to a statement: addresses are, and keys.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Engine, LargeBinary, create_engine, event
from sqlalchemy.engine import Connection, Dialect, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import Integer, TypeDecorator

from archive_store.errors import StoreBusy, StoreError, StoreFull, WriteFailed

BUSY_TIMEOUT_MS = 15_000
CONNECT_SECONDS = 10  # a PostgreSQL server whose host swallows packets
# Shared memory that cannot grow is a full disk too: SQLite says "disk I/O error" then.
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
# A page that could not be read is damage to SQLite, even if the disk gives it the next time.
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_WRITE = "livearchive_write"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Id = LargeBinary(16)
"""Column type of an object's id: 16 random octets."""

Seq = BigInteger().with_variant(Integer, "sqlite")
"""Column type of a growing number; SQLite only autoincrements INTEGER keys."""


class Utc(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as whole microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Refuse naive times: a missing zone is a bug, never a guess."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        delta = value - _EPOCH
        return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Back to an aware datetime."""
        if value is None:
            return None
        return _EPOCH + timedelta(0, 0, value)  # a search does this for each mail of a mailbox


class Base(DeclarativeBase):
    """All tables of the product hang here, so that migrations see them."""


class Database:
    """One database; cheap to open, safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = _sqlite_engine(url) if self.is_sqlite else _postgres_engine(url)
        self._writer = self._engine.execution_options(**{_WRITE: True})

    @property
    def engine(self) -> Engine:
        """For migrations and checks."""
        return self._engine

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session over one consistent read."""
        with translated(), Session(self._engine, expire_on_commit=False) as tx, tx.begin():
            yield tx

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session over one write transaction, committed when the block ends."""
        with translated(), Session(self._writer, expire_on_commit=False) as tx, tx.begin():
            yield tx

    def connect_to_write(self) -> Connection:
        """A connection whose transactions write, until it is closed; see `kept`."""
        return self._writer.connect()

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def checkpoint(self) -> bool:
        """Empty SQLite's write-ahead log, so that deleted rows leave it too; False when a
        reader was in the way for too long.
        """
        if not self.is_sqlite:
            return True
        with translated(), self._engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            if raw is None:
                return False
            cursor = raw.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, _, _ = cursor.fetchone() or (1, 0, 0)
            cursor.close()
            return not busy


@contextmanager
def translated() -> Iterator[None]:
    """Turn the drivers' errors into the store's own."""
    try:
        yield
    except NoConnectionLeft as error:
        raise StoreBusy("every connection to the database is in use") from error
    except (OperationalError, InterfaceError) as error:
        raise _store_error(error.orig) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreBusy("the database connection was lost") from error
        if _sqlite_code(error.orig) in _DAMAGED:
            raise WriteFailed("the database cannot be read") from error
        raise
    except sqlite3.DatabaseError as error:  # of the driver's own cursor
        raise _store_error(error) from error


def _store_error(error: BaseException | None) -> StoreError:
    # PostgreSQL has SQLSTATE 53100.
    if _full_code(error) in _NO_ROOM or getattr(error, "sqlstate", None) == "53100":
        return StoreFull("the database has no room to write")
    if _sqlite_code(error) == sqlite3.SQLITE_IOERR:
        return WriteFailed("the disk of the database failed")
    if _sqlite_code(error) in _DAMAGED:
        return WriteFailed("the database cannot be read")
    return StoreBusy("the database is locked or cannot be reached")


def _sqlite_code(error: BaseException | None) -> int:
    return _full_code(error) & 0xFF


def _full_code(error: BaseException | None) -> int:
    """SQLite's extended result code (https://www.sqlite.org/rescode.html); 0: it is not SQLite."""
    return int(getattr(error, "sqlite_errorcode", 0))


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=20,
        max_overflow=30,
        # SQLAlchemy hands BEGIN over to us, see _begin.
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_MS / 1000},
    )
    event.listen(engine, "connect", _sqlite_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # FULL: a commit survives a power cut. secure_delete: deleted cells are
    # overwritten, so that a wrapped key does not linger in a free page.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "secure_delete=ON",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a deferred one can fail half-way
    # with SQLITE_BUSY that no busy timeout cures.
    write = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _postgres_engine(url: str) -> Engine:
    patience = (
        {} if "connect_timeout" in make_url(url).query else {"connect_timeout": CONNECT_SECONDS}
    )
    return create_engine(
        url,
        hide_parameters=True,
        pool_size=10,
        max_overflow=20,
        pool_pre_ping=True,
        connect_args=patience,
    )
