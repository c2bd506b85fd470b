"""The migrations make exactly the schema of the models, on every database."""

import re
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, MetaData, select, text

from app.migrate import current_revision, newest_revision, upgrade
from app.migration_runner import configuration
from app.models import Domain, Identity, LoginSession, QueueItem, User
from archive_store.db import Base, Database
from archive_store.errors import ConfigError
from archive_store.models import Entry

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"


def table_sql(db: Database) -> list[list[str]]:
    """SQLite's own words for the schema, without spaces, quotes and the order of clauses."""
    with db.read() as tx:
        found = tx.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
        rows = [str(row[0]) for row in found if "alembic_version" not in row[0]]
    return sorted(sorted(re.split(r"[(),]+", re.sub(r'[\s"]', "", row))) for row in rows)


def test_a_migrated_database_has_the_schema_of_the_models(database_url: str) -> None:
    assert upgrade(database_url)
    db = Database(database_url)
    with db.read() as tx:
        context = MigrationContext.configure(tx.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert current_revision(tx.connection()) == newest_revision()
    db.close()


def test_a_database_without_webhooks_gets_them(database_url: str) -> None:
    db = Database(database_url)
    with db.write() as tx:
        command.upgrade(configuration(tx.connection()), "0006")
    assert upgrade(database_url)
    with db.read() as tx:
        context = MigrationContext.configure(tx.connection(), opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    db.close()


def some_value(column: Column[Any]) -> object:
    kind = column.type.python_type
    if kind is bytes:
        return b"\x07" * 16
    if kind is date:
        return date(2026, 1, 1)
    return "2026" if kind is str else kind(1)


def test_people_with_sessions_and_domains_keep_them_and_get_the_usual_choices(
    database_url: str,
) -> None:
    db = Database(database_url)
    with db.write() as tx:
        command.upgrade(configuration(tx.connection()), "0008")
        before = MetaData()
        before.reflect(tx.connection())
        for name in ("domain", "mailbox", "person", "identity", "login_session"):
            table = before.tables[name]
            tx.execute(table.insert().values({c.name: some_value(c) for c in table.columns}))
    assert upgrade(database_url)
    with db.read() as tx:
        [person] = tx.scalars(select(User))
        [session] = tx.scalars(select(LoginSession))
        assert (person.rich_text, person.quoting, person.methods_reset_at) == (False, "below", None)
        assert [one.signature for one in tx.scalars(select(Identity))] == [""]
        assert [one.sent_copies for one in tx.scalars(select(Domain))] == ["imap"]
        assert (session.method, session.confirmed_at, session.told_until) == (
            "password",
            None,
            None,
        )
    db.close()


def test_kept_mail_and_mail_on_its_way_stay_and_nothing_is_said_of_them_yet(
    database_url: str,
) -> None:
    db = Database(database_url)
    with db.write() as tx:
        command.upgrade(configuration(tx.connection()), "0013")
        before = MetaData()
        before.reflect(tx.connection())
        for name in ("domain", "mailbox", "person", "message", "entry", "queue_item"):
            table = before.tables[name]
            tx.execute(table.insert().values({c.name: some_value(c) for c in table.columns}))
    assert upgrade(database_url)
    with db.read() as tx:
        entry, item = tx.scalars(select(Entry)).one(), tx.scalars(select(QueueItem)).one()
        domain = tx.scalars(select(Domain)).one()
        assert (entry.scan, entry.scan_found, entry.scan_by, item.told_at) == ("", "", "", None)
        choices = domain.checked_by, domain.outside_notices, domain.second_factor
        assert choices == ("", False, "nobody")
    db.close()


def test_on_sqlite_it_is_the_same_to_the_letter(tmp_path: Path) -> None:
    """Alembic compares neither partial indexes nor AUTOINCREMENT."""
    migrated, made = (Database(f"sqlite:///{tmp_path / name}") for name in ("migrated", "made"))
    upgrade(f"sqlite:///{tmp_path / 'migrated'}")
    Base.metadata.create_all(made.engine)
    assert table_sql(migrated) == table_sql(made)
    migrated.close()
    made.close()


def test_a_second_upgrade_has_nothing_to_do(database_url: str) -> None:
    assert upgrade(database_url)
    assert not upgrade(database_url)


def test_two_processes_at_once_make_one_schema(database_url: str) -> None:
    outcomes: list[bool] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(upgrade(database_url))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, True]


def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    upgrade(database_url)
    db = Database(database_url)
    with db.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    db.close()
    with pytest.raises(ConfigError, match="newer version"):
        upgrade(database_url)


def test_a_start_without_work_never_loads_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'db'}"
    upgrade(url)
    program = (
        "import sys; from app.migrate import upgrade; "
        f"assert not upgrade({url!r}); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=VERSIONS.parents[1])


def test_revisions_are_one_line_named_by_their_numbers(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'db'}")
    with db.read() as tx:
        scripts = ScriptDirectory.from_config(configuration(tx.connection()))
        revisions = list(reversed(list(scripts.walk_revisions())))
    db.close()
    numbers = [f"{number:04}" for number in range(1, len(revisions) + 1)]
    assert [revision.revision for revision in revisions] == numbers
    assert [revision.down_revision for revision in revisions] == [None, *numbers[:-1]]
    assert [Path(str(revision.path)).name[:5] for revision in revisions] == [
        f"{number}_" for number in numbers
    ]
    assert newest_revision() == numbers[-1]
