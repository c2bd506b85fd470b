"""The database: every failure is one of the store's, and none quotes what it was asked."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import QueuePool

from archive_store.db import Database, translated
from archive_store.errors import StoreBusy, StoreError, StoreFull, WriteFailed

CANARY = "canary@acme.example"


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    with made.write() as tx:
        tx.execute(text("CREATE TABLE t (address VARCHAR(40) PRIMARY KEY)"))
    yield made
    made.close()


def test_no_error_quotes_what_was_bound(db: Database) -> None:
    with pytest.raises((StoreBusy, ProgrammingError)) as caught, db.read() as tx:
        tx.execute(text("SELECT missing FROM nowhere WHERE a = :a"), {"a": CANARY})
    assert CANARY not in f"{caught.value} {caught.value.__cause__}"


def test_a_pool_that_is_used_up_can_be_tried_again(db: Database) -> None:
    assert isinstance(db.engine.pool, QueuePool)
    db.engine.pool._timeout = 0.0
    every = db.engine.pool.size() + db.engine.pool._max_overflow
    held = [db.engine.connect() for _ in range(every)]
    with pytest.raises(StoreBusy), db.read() as tx:
        tx.execute(text("SELECT 1"))
    for one in held:
        one.close()


def test_a_checkpoint_says_whether_a_reader_was_in_the_way(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert db.checkpoint()
    if not db.is_sqlite:
        return
    monkeypatch.setattr("archive_store.db.BUSY_TIMEOUT_MS", 1)
    impatient = Database(db.url.render_as_string())
    with db.read() as reading:
        reading.execute(text("SELECT * FROM t")).all()
        with impatient.write() as tx:
            tx.execute(text("INSERT INTO t VALUES ('x')"))
        assert not impatient.checkpoint()
    assert impatient.checkpoint()
    impatient.close()


def test_a_file_that_is_no_database_is_one_of_the_stores_failures(tmp_path: Path) -> None:
    path = tmp_path / "livearchive.db"
    made = Database(f"sqlite:///{path}")
    with made.write() as tx:
        tx.execute(text("CREATE TABLE t (a INTEGER)"))
    made.close()
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(WriteFailed), made.read() as tx:
        tx.execute(text("SELECT * FROM t")).all()
    made.close()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, StoreFull),
        (sqlite3.SQLITE_IOERR_SHMSIZE, StoreFull),
        (sqlite3.SQLITE_IOERR_FSYNC, WriteFailed),
        (sqlite3.SQLITE_BUSY, StoreBusy),
    ],
)
def test_a_full_disk_is_told_from_one_that_fails(code: int, expected: type[StoreError]) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    with pytest.raises(expected), translated():
        raise OperationalError("INSERT", {}, error)


def test_a_log_that_cannot_be_emptied_is_one_of_the_stores_failures(tmp_path: Path) -> None:
    path = tmp_path / "livearchive.db"
    made = Database(f"sqlite:///{path}")
    with made.write() as tx:
        tx.execute(text("CREATE TABLE t (a INTEGER)"))
    # The pool's connection is open: only now, without SQLAlchemy between, the driver fails.
    path.with_name(f"{path.name}-wal").write_bytes(b"")
    path.write_bytes(b"x" * 4096)
    with pytest.raises(StoreError):
        made.checkpoint()
    made.close()
