"""Backup and restore: no secret in a command line, and nothing outside of its place."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from app import backup as backups
from app.backup import FORMAT, MANIFEST, BackupFailed, backup, restore
from app.config import Config
from app.delivery import desk
from app.models import LoginSession, QueueItem
from app.viewer import Actor
from app.wiring import Parts
from archive_store import durable
from archive_store.db import Database
from archive_store.models import Entry, HeldEntry
from archive_store.segments import KeySlot
from archive_store.segments.choice import open_segments
from archive_store.segments.frame import KIND_MESSAGE, kind_of, wrap_position
from tests.app.conftest import World
from tests.app.keys.test_holding import MAIL, VLAD, Holds, holding
from tests.app.sending.outbox import letter
from tests.parts.seaweedfs import SeaweedFS, anywhere, environment_of

pytestmark = pytest.mark.whole_database

NOW = datetime(2026, 11, 24, tzinfo=UTC)
URL = make_url("postgresql+psycopg://la:canary-secret@db.example:5433/mail?sslmode=require")


def parts_of(world: World) -> Parts:
    parts = SimpleNamespace(db=world.db, store=world.config, segments=world.segments)
    return cast(Parts, parts)


def test_a_database_password_stands_in_no_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\necho "$@" > {seen}\necho "$PGPASSWORD" >> {seen}\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    backups._run(URL, ["pg_dump", backups._libpq(URL)])
    words, password = seen.read_text().splitlines()
    assert words == "postgresql://la@db.example:5433/mail?sslmode=require"
    assert password == "canary-secret"


@anywhere
def test_a_day_that_leaves_during_a_backup_is_left_out(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.receive(b"Subject: x\r\n\r\n")
    take_out = world.segments.take_out

    def after_a_sweep(day: date, name: str) -> Iterator[bytes]:
        world.segments.drop(day)
        return take_out(day, name)

    monkeypatch.setattr(world.segments, "take_out", after_a_sweep)
    backup(parts_of(world), tmp_path / "b", "root", NOW)
    files = json.loads((tmp_path / "b" / MANIFEST).read_bytes())["files"]
    assert not [name for name in files if name.endswith(".seg")]
    assert "database.sqlite" in files


def test_a_database_that_cannot_be_copied_is_said_in_one_line(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    with pytest.raises(BackupFailed, match="disk is full"):
        backups._copy_database(world.db, tmp_path)


def restored(world: World, tmp_path: Path) -> Database:
    """A backup of a world, brought back elsewhere."""
    backup(parts_of(world), tmp_path / "b", "root", NOW)
    config = Config.load({}, {"DATA_DIR": str(tmp_path / "data")})
    restore(config, tmp_path / "b", "root", NOW)
    return Database(config.store.database)


@anywhere
def test_a_restore_ends_sessions_and_holds_what_waited(world: World, tmp_path: Path) -> None:
    world.receive(b"Subject: x\r\n\r\n")
    world.viewer()
    with closing(restored(world, tmp_path)) as db, db.read() as tx:
        assert tx.scalars(select(LoginSession)).all() == []
        assert [item.state for item in tx.scalars(select(QueueItem))] == ["held"]
        assert len(tx.scalars(select(Entry)).all()) == 1


@anywhere
def test_after_a_restore_what_was_to_be_sent_is_a_draft_and_the_queue_can_be_released(
    world: World, tmp_path: Path
) -> None:
    viewer = world.viewer()
    world.sends(timedelta(hours=1)).send(viewer, letter(world, viewer))
    world.receive(b"Subject: x\r\n\r\n")
    with closing(restored(world, tmp_path)) as db, db.write() as tx:
        found = {item.kind: item for item in tx.scalars(select(QueueItem))}
        assert {kind: item.state for kind, item in found.items()} == {
            "pending": "dropped",
            "primary": "held",
        }
        assert found["pending"].wrap == b""
        assert sorted(tx.scalars(select(Entry.folder))) == ["drafts", "inbox"]
        for one in desk.held_items(tx):
            desk.release(tx, Actor.command_line("root"), one, NOW, domain_id=None)
        assert found["primary"].state == "queued"


def test_mail_from_a_folder_comes_back_in_a_bucket_and_only_in_an_empty_one(
    world: World, tmp_path: Path, seaweedfs: SeaweedFS
) -> None:
    world.receive(b"Subject: x\r\n\r\n")
    backup(parts_of(world), tmp_path / "b", "root", NOW)
    bucket = environment_of(seaweedfs.config())
    config = Config.load(bucket, {"DATA_DIR": str(tmp_path / "data")})
    restore(config, tmp_path / "b", "root", NOW)
    with closing(open_segments(config.store)) as there:
        [day] = world.segments.days()
        assert there.days() == [day]
        assert list(there.scan(day)) == list(world.segments.scan(day))
    other = Config.load(bucket, {"DATA_DIR": str(tmp_path / "other")})
    with pytest.raises(BackupFailed, match="segments already"):
        restore(other, tmp_path / "b", "root", NOW)
    assert not (tmp_path / "other").exists()


@anywhere
def test_what_was_deleted_or_delivered_while_a_backup_was_made_does_not_come_back(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.receive(b"Subject: x\r\n\r\n")
    copy = backups._copy_database

    def then_erase(*words: Any) -> None:
        copy(*words)
        for ref, frame in world.segments.scan(world.segments.days()[0]):
            if kind_of(frame) == KIND_MESSAGE:
                for number in range(2):
                    world.segments.erase([KeySlot(ref, wrap_position(number))])

    monkeypatch.setattr(backups, "_copy_database", then_erase)
    with closing(restored(world, tmp_path)) as db, db.read() as tx:
        assert tx.scalars(select(Entry)).all() == []
        [item] = tx.scalars(select(QueueItem))
        assert (item.state, item.wrap) == ("dropped", b"")


def test_a_backup_of_the_other_kind_of_database_is_refused_before_anything_is_written(
    world: World, tmp_path: Path, database_url: str
) -> None:
    backup(parts_of(world), tmp_path / "b", "root", NOW)
    data = tmp_path / "data"
    if database_url.startswith("sqlite"):
        manifest = json.loads((tmp_path / "b" / MANIFEST).read_bytes())
        del manifest["files"]["database.sqlite"]
        (tmp_path / "b" / MANIFEST).write_text(json.dumps(manifest))
        database_url = ""
    given = {"DATA_DIR": str(data), "DATABASE_URL": database_url}
    config = Config.load({}, {name: value for name, value in given.items() if value})
    with pytest.raises(BackupFailed, match="the backup is of"):
        restore(config, tmp_path / "b", "root", NOW)
    assert not data.exists()


@pytest.mark.parametrize("name", ["keys/../../stolen", "/stolen", "objects/../../../stolen"])
def test_a_backup_cannot_put_files_elsewhere(tmp_path: Path, name: str) -> None:
    durable.make_folder(tmp_path / "b")
    manifest = {"format": FORMAT, "files": {name: "0" * 64}}
    (tmp_path / "b" / MANIFEST).write_text(json.dumps(manifest))
    config = Config.load({}, {"DATA_DIR": str(tmp_path / "data")})
    with pytest.raises(BackupFailed, match="outside"):
        restore(config, tmp_path / "b", "root", NOW)


@pytest.fixture
def holds(world: World) -> Iterator[Holds]:
    yield from holding(world)


@pytest.mark.parametrize("left", ["before", "meanwhile"])
def test_what_is_under_a_legal_hold_comes_back_and_opens(
    holds: Holds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    """Also when its day leaves between the copies of database and segments."""
    holds.desk.hold_mailbox(VLAD)
    holds.world.receive(MAIL)
    holds.world.agent.holder.seal_all()
    if left == "before":
        holds.sweep(holds.over())
    else:
        copy_database = backups._copy_database

        def then_sweep(db: Database, folder: Path) -> None:
            copy_database(db, folder)
            holds.sweep(holds.over())

        monkeypatch.setattr(backups, "_copy_database", then_sweep)
    backup(holds.parts, tmp_path / "b", "root", NOW)
    files = json.loads((tmp_path / "b" / MANIFEST).read_bytes())["files"]
    assert [name.partition("/")[0] for name in files if name.endswith(".seg")] == ["holds"]
    config = Config.load({}, {"DATA_DIR": str(tmp_path / "data")})
    restore(config, tmp_path / "b", "root", NOW)
    with closing(Parts(config, "admin")) as there:
        with there.db.read() as tx:
            [held] = tx.scalars(select(HeldEntry))
        keys = holds.world.agent.holder.content_keys([held])
        assert there.held_reader.open(held, keys[held.entry_id]).octets == MAIL
