"""One thread's transactions in sessions that it keeps.

To make a session and to take a connection costs as much as the commit of a few mails. With
PostgreSQL what writes takes a connection each time all the same: it is tried first, so that a
server which was started anew in the meantime costs no batch.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from archive_store.db import Database, translated


class KeptSessions:
    """For one thread; after any error the next transaction begins with a new connection."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._reading = Session(db.engine, expire_on_commit=False)
        self._writing: tuple[Connection, Session] | None = None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """As `Database.read`; the transaction begins with the first question."""
        with translated():
            try:
                yield self._reading
            finally:
                if self._reading.in_transaction():
                    self._reading.close()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """As `Database.write`."""
        if not self._db.is_sqlite:
            with self._db.write() as tx:
                yield tx
            return
        with translated():
            if self._writing is None:
                connection = self._db.connect_to_write()
                self._writing = connection, Session(connection, expire_on_commit=False)
            tx = self._writing[1]
            try:
                with tx.begin():
                    yield tx
                tx.expunge_all()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Give back the connection."""
        if self._writing is not None:
            connection, session = self._writing
            self._writing = None
            session.close()
            connection.close()
