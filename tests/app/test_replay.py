"""What was deleted for good stays deleted, whatever older copy of the data is brought back."""

import shutil
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.backup import backup, restore
from app.cli.access import keys_for
from app.config import Config
from app.fsck.check import check
from app.fsck.ports import store_of
from app.keys.client import KeysClient
from app.models import AuditEvent
from app.operations import MailboxReader
from app.replay import replay_deletions
from app.secret import Secret
from app.wiring import Parts
from archive_store import deletion, ids
from archive_store.errors import KeysUnavailable, NotFound, StoreBusy
from archive_store.models import Entry
from archive_store.segments.local import LocalSegments
from archive_store.tombstones import Tombstones
from tests.app.conftest import World
from tests.app.test_backup import parts_of

pytestmark = pytest.mark.whole_database

MAIL = b"Subject: x\r\n\r\nTo be gone.\r\n"


def delete_for_good(world: World, *shown: str) -> None:
    viewer = world.viewer()
    for _ in range(2):  # into the trash, and out of it
        world.reading.delete(viewer, shown)


def restored(world: World, data: Path, url: str, kept: Sequence[Path]) -> Config:
    """A backup of a world, brought back, with the files that were kept apart beside it."""
    given = {"DATA_DIR": str(data)} | ({} if url.startswith("sqlite") else {"DATABASE_URL": url})
    config = Config.load({}, given)
    restore(config, data.parent / "backup", "root", world.clock())
    for path in kept:
        shutil.copy(path, config.store.keys_dir)
    return config


def shown_entries(parts: Parts) -> set[str]:
    with parts.db.read() as tx:
        return {ids.show(entry.id) for entry in tx.scalars(select(Entry))}


@pytest.mark.parametrize("known", [True, False], ids=["with the list", "without it"])
def test_a_restored_backup_does_not_bring_back_what_was_deleted_since(
    any_world: World, second_database_url: str, tmp_path: Path, known: bool
) -> None:
    world = any_world
    mine, hers = world.receive(MAIL, "vlad@acme.example", "maria@acme.example")
    [other] = world.receive(MAIL)
    backup(parts_of(world), tmp_path / "backup", "root", world.clock())
    delete_for_good(world, mine)
    keyring, stones = world.config.keyring, Tombstones.beside(world.config.keyring)
    kept = [keyring, stones.path] if known else [keyring]
    config = restored(world, tmp_path / "data", second_database_url, kept)
    with closing(Parts(config, "admin")) as parts, keys_for(parts) as keys:
        there = shown_entries(parts)
        assert there == {hers, other} | (set() if known else {mine})
        reader = MailboxReader(parts, keys, "root", "test")
        assert list(reader.export("maria@acme.example")) == [(ids.read(hers), MAIL)]
        with parts.db.read() as tx:
            kinds = list(tx.scalars(select(AuditEvent.kind)))
        assert ("message.deleted" in kinds) is known
        found = check(store_of(parts, keys, "root", world.clock()))
        assert (found.problems, found.opened, found.half_erased) == ([], len(there), 0)


def test_where_the_keyring_has_a_place_of_its_own_a_restore_knows_at_once(
    world: World, tmp_path: Path
) -> None:
    [shown] = world.receive(MAIL)
    backup(parts_of(world), tmp_path / "backup", "root", world.clock())
    delete_for_good(world, shown)
    places = {"DATA_DIR": str(tmp_path / "data"), "MASTER_KEY_FILE": str(world.config.keyring)}
    done = restore(Config.load({}, places), tmp_path / "backup", "root", world.clock())
    assert done.deleted == 1


def test_a_delete_that_was_cut_short_is_finished_at_the_next_start(
    any_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = any_world
    [shown], [other] = world.receive(MAIL), world.receive(MAIL)
    viewer = world.viewer()
    world.reading.delete(viewer, [shown])

    def killed(*_: object) -> None:
        raise StoreBusy("killed")

    with monkeypatch.context() as patch:
        patch.setattr(LocalSegments, "erase", killed)
        with pytest.raises(StoreBusy):
            world.reading.delete(viewer, [shown])
    stones = world.agent.tombstones
    assert replay_deletions(world.db, world.segments, stones, world.clock()) == 1
    assert replay_deletions(world.db, world.segments, stones, world.clock()) == 0
    with pytest.raises(NotFound):
        world.reading.original(viewer, shown)
    assert world.reading.original(viewer, other) == MAIL


def test_whoever_cannot_reach_the_segments_deletes_what_can_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    [shown] = world.receive(MAIL)
    entry = world.entry(shown)
    delete_for_good(world, *world.receive(MAIL))
    with world.db.read() as tx:
        [slot] = deletion.key_slots(tx, [entry])
    world.keys.bury_entries(world.viewer().token, [entry.id])

    def away(*_: object) -> None:
        raise StoreBusy("no network")

    with monkeypatch.context() as patch:
        patch.setattr(world.segments, "erase", away)
        stones = world.agent.tombstones
        assert replay_deletions(world.db, world.segments, stones, world.clock()) == 1
    with world.db.read() as tx:
        assert tx.get(Entry, entry.seq) is None
    octets = world.segments.read(slot.frame)
    assert octets[slot.start :][: len(entry.wrap)] == entry.wrap


def test_nothing_is_deleted_before_it_is_noted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    [shown] = world.receive(MAIL)
    viewer = world.viewer()
    world.reading.delete(viewer, [shown])

    def away(_self: KeysClient, _token: Secret, _ids: Sequence[bytes]) -> None:
        raise KeysUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(KeysClient, "bury_entries", away)
        with pytest.raises(KeysUnavailable):
            world.reading.delete(viewer, [shown])
    assert world.reading.original(viewer, shown) == MAIL
    world.reading.delete(viewer, [shown])
    assert [stone.entry_id for stone in world.agent.tombstones.read()] == [ids.read(shown)]


def test_nobody_notes_a_delete_of_anothers_mail(world: World) -> None:
    [shown] = world.receive(MAIL)
    with pytest.raises(NotFound):
        world.keys.bury_entries(world.viewer("maria").token, [ids.read(shown)])
    assert list(world.agent.tombstones.read()) == []


def test_the_list_is_as_old_as_the_keys(world: World) -> None:
    delete_for_good(world, *world.receive(MAIL))
    world.clock.moment += timedelta(days=7)
    world.agent.expire()
    assert len(list(world.agent.tombstones.read())) == 1
    world.clock.moment += timedelta(days=1)
    world.agent.expire()
    assert list(world.agent.tombstones.read()) == []
