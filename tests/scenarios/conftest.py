"""Installations for scenarios: on SQLite, on PostgreSQL, and there with segments in a bucket.

Making one takes seconds (schema, keys, passwords), so it is made once for each
kind of database; a scenario gets a copy, with ports of its own.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.parts.seaweedfs import SeaweedFS, environment_of
from tests.scenarios.service import Primary, Service, running_primary

KINDS = ["sqlite", "postgresql"]
FARTHEST = ["sqlite", "postgresql+s3"]  # nothing beside the product, and all that there can be


@dataclass(frozen=True)
class Template:
    """A finished installation that nobody runs."""

    folder: Path
    server: str  # of PostgreSQL; empty: SQLite
    name: str

    def copy(self, folder: Path) -> Service:
        """Another installation like it; its domain's primary is on the new service's port."""
        shutil.copytree(self.folder / "data", folder / "data")
        url = "sqlite:"
        if self.server:
            name = f"scenario_{folder.name.replace('-', '_')}_{abs(hash(folder))}"
            with psycopg.connect(f"postgresql://{self.server}/postgres", autocommit=True) as server:
                server.execute(f"CREATE DATABASE {name} TEMPLATE {self.name}".encode())
            url = f"postgresql+psycopg://{self.server}/{name}"
        service = Service(folder, url)
        service.set_domain("acme.example", relay=service.primary_address)
        return service


def make_template(request: pytest.FixtureRequest, kind: str) -> Template:
    folder = request.getfixturevalue("tmp_path_factory").mktemp(f"template-{kind}")
    server, name, url = "", "scenario_template", "sqlite:"
    if kind == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        with psycopg.connect(f"postgresql://{server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        url = f"postgresql+psycopg://{server}/{name}"
    service = Service(folder, url)
    service.set_up()
    if kind == "sqlite":
        # The copy takes the database file alone: nothing may wait in the write-ahead log.
        with closing(sqlite3.connect(service.data / "livearchive.db")) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return Template(folder, server, name)


@pytest.fixture(scope="session")
def templates(request: pytest.FixtureRequest) -> dict[str, Template]:
    """One template a kind, made when first wanted."""
    return {}


def installation(request: pytest.FixtureRequest, kind: str, folder: Path) -> Service:
    """A copy of the template, with a place of its own for segments where the kind has a bucket."""
    database, _, bucket = kind.partition("+")
    service = template_of(request, database).copy(folder)
    if bucket:
        server: SeaweedFS = request.getfixturevalue("seaweedfs")
        service.environment |= environment_of(server.config())
    return service


def template_of(request: pytest.FixtureRequest, kind: str) -> Template:
    made: dict[str, Template] = request.getfixturevalue("templates")
    if kind not in made:
        made[kind] = make_template(request, kind)
    return made[kind]


@pytest.fixture(params=KINDS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """An installation with people, not running."""
    service = installation(request, request.param, tmp_path)
    yield service
    service.stop()


@pytest.fixture
def primary(tmp_path: Path, made: Service) -> Iterator[Primary]:
    """The primary of that installation, up."""
    with running_primary(tmp_path, made.ports) as standin:
        yield standin


@pytest.fixture
def service(made: Service) -> Service:
    """A running installation of the test's own."""
    made.start()
    return made


@dataclass(frozen=True)
class Town:
    """A running installation and its primary, shared by the tests of a module."""

    service: Service
    primary: Primary


@pytest.fixture(scope="module", params=FARTHEST)
def town(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """Tests that share it use people of their own."""
    folder = tmp_path_factory.mktemp("town")
    service = installation(request, request.param, folder)
    with running_primary(folder, service.ports) as primary:
        service.start()
        try:
            yield Town(service, primary)
        finally:
            service.stop()
