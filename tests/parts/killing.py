"""A kill -9 between two transactions, at each of them in turn."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from sqlalchemy.orm import Session

from archive_store.db import Database


class Killed(Exception):
    """The process ended here."""


def kills_until_done(
    db: Database, job: Callable[[], object], afterwards: Callable[[], object] = lambda: None
) -> int:
    """Begin a job anew until it ends, killed before its first transaction that writes, then before
    its second, and so on; `afterwards` looks at what each attempt left. How often it was killed.
    """
    kills = 0
    while True:
        try:
            with patch.object(db, "write", _mortal(db, kills)):
                job()
            return kills
        except Killed:
            kills += 1
        finally:
            afterwards()


def _mortal(db: Database, budget: int) -> Callable[[], object]:
    """`db.write`, for so many transactions."""
    write = db.write

    @contextmanager
    def mortal() -> Iterator[Session]:
        nonlocal budget
        if not budget:
            raise Killed
        budget -= 1
        with write() as tx:
            yield tx

    return mortal
