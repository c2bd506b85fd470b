"""A lost database: drafts come back as drafts, and held mail that had left its days as held."""

from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import select

from app.admin import holds as holds_of
from app.fsck.check import check
from app.fsck.rebuild import Rebuild
from app.keys.client import KeysClient
from app.models import Hold
from archive_store import ids
from archive_store.envelope import Envelope
from archive_store.held import HeldReader
from archive_store.keyring import KeyringFile
from archive_store.models import Entry, HeldEntry
from archive_store.sealing import Copy, Incoming
from tests.app.conftest import World
from tests.app.fsck.test_rebuild import Another, beside
from tests.app.keys.test_holding import MAIL, VLAD, WHY, Holds, holding
from tests.parts.seaweedfs import anywhere


@pytest.fixture
def another_database(database_url: str) -> Another:
    return partial(beside, database_url)


@pytest.fixture
def holds(world: World) -> Iterator[Holds]:
    yield from holding(world)


def test_a_draft_comes_back_as_a_draft(world: World, another_database: Another) -> None:
    world.receive(MAIL)
    box = world.mailbox(VLAD)
    copy = Copy(box.id, Envelope(VLAD, VLAD), folder="drafts", seen=True)
    world.archive.submit([Incoming(box.tenant_id, MAIL, world.clock(), (copy,))]).result(60)
    with another_database(world) as store:
        Rebuild(store, world.clock()).run()
        with store.db.read() as tx:
            found = {entry.folder: entry.seen for entry in tx.scalars(select(Entry))}
        assert found == {"inbox": False, "drafts": True}


@anywhere
def test_what_was_held_comes_back_as_held_and_what_cannot_is_counted(
    holds: Holds, another_database: Another
) -> None:
    world = holds.world
    world.receive(MAIL)
    placed = holds.desk.hold_mailbox(VLAD)
    holds.sweep(holds.over())
    assert holds.octets(placed.id) == [MAIL]
    holds.desk.hold_mailbox("maria@acme.example")
    world.agent.change_keyring(lambda ring: ring.hold_facts.clear())  # as an older version has it
    with another_database(world) as store:
        found = Rebuild(store, world.clock()).run()
        assert (found.holds, found.held, found.holds_lost, found.held_lost) == (1, 1, 1, 0)
        with store.db.read() as tx:
            [hold], [held] = tx.scalars(select(Hold)).all(), tx.scalars(select(HeldEntry)).all()
        assert ids.show(hold.id) == placed.id
        [key] = store.keys.verify_held("test", hold.id, [held.entry_id]).values()
        assert HeldReader(store.db, store.reader, store.holds).open(held, key).octets == MAIL
        checked = check(store)
        assert (checked.problems, checked.held) == ([], 1)
        assert Rebuild(store, world.clock()).run().held == 0


def test_a_hold_comes_back_with_its_reason_and_goes_on_holding_its_mailbox(
    holds: Holds, another_database: Another
) -> None:
    world = holds.world
    world.receive(MAIL)
    placed = holds.desk.hold_mailbox(VLAD)
    empty = holds.desk.hold_mailbox("maria@acme.example")
    with another_database(world) as store:
        found = Rebuild(store, world.clock()).run()
        assert (found.holds, found.held, found.holds_lost, found.held_lost) == (2, 0, 0, 0)
        with store.db.read() as tx:
            lines = holds_of.active(tx, None)
        facts = {(one.id, one.address, one.reason, one.placed_by, one.placed_at) for one in lines}
        assert facts == {
            (one.id, one.address, one.reason, one.placed_by, one.placed_at)
            for one in (placed, empty)
        }
        assert isinstance(store.keys, KeysClient)
        store.keys.expire()  # it seals what there is anew, before any key goes
        with store.db.read() as tx:
            [held] = tx.scalars(select(HeldEntry)).all()
        [key] = store.keys.verify_held("test", held.hold_id, [held.entry_id]).values()
        assert ids.show(held.hold_id) == placed.id
        assert HeldReader(store.db, store.reader, store.holds).open(held, key).octets == MAIL


def test_what_is_known_of_a_hold_goes_with_its_key_and_an_older_ones_is_noted(
    holds: Holds,
) -> None:
    world = holds.world
    placed = holds.desk.hold_mailbox(VLAD)
    world.agent.change_keyring(lambda ring: ring.hold_facts.clear())
    world.agent.expire()
    file = KeyringFile(world.config.keyring)
    [facts] = file.load().hold_facts.values()
    assert (facts.address, facts.reason, facts.placed_at) == (VLAD, WHY, placed.placed_at)
    holds.desk.release(placed.id)
    assert file.load().hold_facts == {}
    assert WHY.encode() not in world.config.keyring.read_bytes()
