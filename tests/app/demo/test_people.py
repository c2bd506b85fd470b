"""The demo organisation on a real database: made once, followed when ports move."""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from app.accounts import domains, identities, users
from app.accounts.passwords import Passwords
from app.accounts.routing import Disposition, resolve
from app.audit.query import list_events
from app.config_kinds import HostPort
from app.demo.people import ACTOR, LOGINS, Login, Servers, read_logins, seed
from app.models import User
from archive_store.address import EmailAddress
from archive_store.db import Database
from tests.parts.tables import make_tables

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SERVERS = Servers(HostPort("127.0.0.1", 2526), HostPort("127.0.0.1", 2527))


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    make_tables(database)
    yield database
    database.close()


def password_fits(db: Database, passwords: Passwords, login: Login) -> bool:
    with db.read() as tx:
        user = users.find(tx, ACTOR, login.address)
    return passwords.check(user.password_hash, login.password)


def test_the_organisation_is_as_the_contract_says(
    db: Database, tmp_path: Path, passwords: Passwords
) -> None:
    logins = seed(db, tmp_path, passwords, SERVERS, NOW)
    with db.read() as tx:
        domain = domains.find(tx, ACTOR, "acme.example")
        assert domains.relay_of(domain) == "127.0.0.1:2526"
        assert domain.smarthost == "127.0.0.1:2527"
        assert domain.enabled
        found = {
            user.address: (user.name, user.role, user.live) for user in tx.scalars(select(User))
        }
        assert found == {
            "vlad@acme.example": ("Vlad Mazek", "user", True),
            "maria@acme.example": ("Maria Lopez", "domain-admin", True),
            "audit@acme.example": ("Audit", "auditor", True),
            "provider@livearchive.example": ("Provider", "service-provider", False),
        }
        vlad = users.find(tx, ACTOR, "vlad@acme.example")
        own = identities.list_of(tx, vlad.id)
        assert {(one.address, one.display_name) for one in own} == {
            ("vlad@acme.example", "Vlad Mazek"),
            ("vlad@ownwebnow.example", "Vlad Mazek"),
            ("sales@acme.example", "Acme Sales"),
        }
        for one in own:
            route = resolve(tx, EmailAddress.parse(one.address))
            assert route.disposition is Disposition.KEEP
            assert route.mailbox_id == vlad.mailbox_id
    assert all(password_fits(db, passwords, login) for login in logins)


def test_logins_are_private_lines_that_do_not_change(
    db: Database, tmp_path: Path, passwords: Passwords
) -> None:
    logins = seed(db, tmp_path, passwords, SERVERS, NOW)
    file = tmp_path / LOGINS
    assert file.read_text().splitlines() == [login.line() for login in logins]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for login in logins:
        word, address, password = login.line().split(" ")
        assert (word, address) == ("LOGIN", login.address)
        assert len(password.replace("-", "")) >= 16  # of 31 characters: 79 bits and more
    assert len({login.password for login in logins}) == len(logins)
    assert logins[0].password.reveal() not in repr(logins)

    assert seed(db, tmp_path, passwords, SERVERS, NOW) == logins
    with db.read() as tx:
        assert tx.scalar(select(func.count()).select_from(User)) == len(logins)


def test_a_second_start_without_changes_leaves_no_trace_in_the_audit_trail(
    db: Database, tmp_path: Path, passwords: Passwords
) -> None:
    seed(db, tmp_path, passwords, SERVERS, NOW)
    with db.read() as tx:
        trail = domains.find(tx, ACTOR, "acme.example").id
        before = list_events(tx, trail, size=100).total
    seed(db, tmp_path, passwords, SERVERS, NOW)
    with db.read() as tx:
        assert list_events(tx, trail, size=100).total == before


def test_new_ports_of_the_stand_in_are_followed(
    db: Database, tmp_path: Path, passwords: Passwords
) -> None:
    seed(db, tmp_path, passwords, SERVERS, NOW)
    moved = Servers(HostPort("127.0.0.1", 3526), HostPort("127.0.0.1", 3527))
    seed(db, tmp_path, passwords, moved, NOW)
    with db.read() as tx:
        domain = domains.find(tx, ACTOR, "acme.example")
        assert (domains.relay_of(domain), domain.smarthost) == ("127.0.0.1:3526", "127.0.0.1:3527")


def test_losing_the_file_of_logins_means_new_passwords_that_work(
    db: Database, tmp_path: Path, passwords: Passwords
) -> None:
    before = seed(db, tmp_path, passwords, SERVERS, NOW)
    (tmp_path / LOGINS).unlink()
    after = seed(db, tmp_path, passwords, SERVERS, NOW)
    assert {login.password for login in before}.isdisjoint({login.password for login in after})
    assert all(password_fits(db, passwords, login) for login in after)


def test_a_crash_before_the_database_was_written_keeps_the_passwords(
    db: Database, tmp_path: Path, passwords: Passwords
) -> None:
    promised = "LOGIN vlad@acme.example plum-ceda-rgra-vels-83xy\nnot a login\n"
    (tmp_path / LOGINS).write_text(promised)
    logins = seed(db, tmp_path, passwords, SERVERS, NOW)
    assert logins[0].line() == promised.splitlines()[0]
    assert password_fits(db, passwords, logins[0])
    assert len(read_logins(tmp_path)) == len(logins)
