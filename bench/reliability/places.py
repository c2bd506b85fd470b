"""Fresh copies of an installation: of its folder, and of its database and its segments where
these lie elsewhere.

The template is a folder with its segments in it. With a PostgreSQL database, that is a template as
CREATE DATABASE takes it, and each process makes one of its own beside; with an object store, each
copy's segments lie under a prefix of their own.
"""

import os
import shutil
from contextlib import closing
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from app.config import Config
from archive_store.segments.choice import open_segments
from archive_store.segments.local import LocalSegments


@dataclass(slots=True)
class Places:
    """Where the copies of one process lie. The URLs: empty for SQLite and files."""

    template: Path
    database_url: str
    objects_url: str
    number: int
    _made: int = field(default=0, init=False)

    def make(self, data: Path) -> None:
        """A fresh copy, of which the environment says where it is."""
        shutil.rmtree(data.parent, ignore_errors=True)
        shutil.copytree(self.template, data)
        os.environ["LIVEARCHIVE_DATA_DIR"] = str(data)
        if self.database_url:
            own = beside(self.database_url, str(self.number))
            make_database(own, like=self.database_url)
            os.environ["LIVEARCHIVE_DATABASE_URL"] = own
        if self.objects_url:
            self._copy_segments(data)

    def end(self) -> None:
        """Remove what is not in the folder."""
        if self.database_url:
            drop_database(beside(self.database_url, str(self.number)))
        if self.objects_url and self._made:
            self._drop_segments()

    def _copy_segments(self, data: Path) -> None:
        if self._made:
            self._drop_segments()
        self._made += 1
        os.environ["LIVEARCHIVE_OBJECTS_URL"] = f"{self.objects_url}/{self.number}-{self._made}"
        store = Config.load(os.environ).store
        template = LocalSegments(self.template / "objects", store.segment_bytes)
        with closing(template), closing(open_segments(store)) as segments:
            for day in template.days():
                for name in template.names(day):
                    octets = b"".join(template.take_out(day, name))
                    segments.put_back(day, name, BytesIO(octets))
        shutil.rmtree(data / "objects")

    def _drop_segments(self) -> None:
        with closing(open_segments(Config.load(os.environ).store)) as segments:
            for day in segments.days():
                segments.drop(day)


def beside(database_url: str, name: str) -> str:
    """Another database of the same server."""
    url = make_url(database_url)
    return url.set(database=f"{url.database}_{name}").render_as_string(hide_password=False)


def make_database(database_url: str, *, like: str = "") -> None:
    """Make a database, in the place of one that is there; `like`: a copy of that one."""
    drop_database(database_url)
    template = make_url(like).database if like else "template1"
    words = [sql.Identifier(str(make_url(database_url).database)), sql.Identifier(str(template))]
    with _server(database_url) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*words))


def drop_database(database_url: str) -> None:
    """Drop a database, whoever uses it; one that is not there is no error."""
    name = sql.Identifier(str(make_url(database_url).database))
    with _server(database_url) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _server(database_url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection that makes and drops databases; it commits each by itself."""
    where = make_url(database_url).set(drivername="postgresql", database="postgres")
    return psycopg.connect(where.render_as_string(hide_password=False), autocommit=True)
