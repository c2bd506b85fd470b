"""A database with two domains and some people, and passwords that are cheap to check."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from app.accounts import domains, sessions, users
from app.accounts.passwords import Passwords
from app.audit.query import list_events
from app.config_kinds import HostPort
from app.models import User
from app.secret import Secret
from app.viewer import Actor, Viewer
from archive_store.db import Base, Database
from tests.parts.tables import make_tables

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ROOT = Actor.command_line("root")
PASSWORD = Secret("plum cedar gravel 83")
CLIENT = sessions.Client(ip="192.0.2.7", user_agent="Test/1")


@pytest.fixture(scope="session")
def passwords() -> Passwords:
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(scope="session")
def postgresql_database(postgresql_server: str) -> Iterator[Database]:
    """One database for the session: making one for each of these tests would take minutes."""
    with psycopg.connect(f"postgresql://{postgresql_server}/postgres", autocommit=True) as server:
        server.execute("CREATE DATABASE accounts_tests")
        db = Database(f"postgresql+psycopg://{postgresql_server}/accounts_tests")
        make_tables(db)
        yield db
        db.close()
        server.execute("DROP DATABASE accounts_tests WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with all tables; each test runs once on either kind."""
    if request.param == "sqlite":
        db = Database(f"sqlite:///{tmp_path / 'db'}")
        make_tables(db)
        yield db
        db.close()
        return
    db = request.getfixturevalue("postgresql_database")
    yield db
    with db.write() as tx:
        for table in reversed(Base.metadata.sorted_tables):
            tx.execute(table.delete())


@dataclass(frozen=True)
class Town:
    """acme.example (relay): vlad, maria, audit; other.example (copy): eve; and a provider."""

    db: Database
    passwords: Passwords

    def user(self, address: str) -> User:
        with self.db.read() as tx:
            return users.find(tx, ROOT, address)

    def viewer(self, address: str, now: datetime = NOW) -> Viewer:
        """This person, logged in."""
        with self.db.write() as tx:
            token = sessions.start(tx, users.find(tx, ROOT, address), CLIENT, now)
        with self.db.read() as tx:
            viewer = sessions.current(tx, token, now)
        assert viewer is not None
        return viewer

    def add(self, tx: Session, address: str, role: str = "user", name: str = "A Person") -> User:
        new = users.prepare(self.passwords, address, name, role, PASSWORD)
        return users.add(tx, ROOT, new, NOW)

    def events(self, domain: str = "") -> list[tuple[str, dict[str, object]]]:
        """Kinds and details of a trail, oldest first."""
        with self.db.read() as tx:
            trail = domains.find(tx, ROOT, domain).id if domain else None
            page = list_events(tx, trail, size=1000)
        return [(e.event, dict(e.details)) for e in reversed(page.entries)]


@pytest.fixture
def town(database: Database, passwords: Passwords) -> Town:
    town = Town(database, passwords)
    with database.write() as tx:
        acme = domains.add(tx, ROOT, "acme.example", HostPort("mx.acme.example", 25), NOW)
        domains.enable(tx, ROOT, acme, NOW, all_users=False)
        other = domains.add(tx, ROOT, "other.example", None, NOW)
        domains.enable(tx, ROOT, other, NOW, all_users=False)
        town.add(tx, "vlad@acme.example", name="Vlad Ivanov")
        town.add(tx, "maria@acme.example", "domain-admin", "Maria Pop")
        town.add(tx, "audit@acme.example", "auditor")
        town.add(tx, "eve@other.example", "domain-admin", "Eve")
        town.add(tx, "provider@livearchive.example", "service-provider", "Provider")
    return town
