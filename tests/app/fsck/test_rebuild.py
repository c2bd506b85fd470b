"""A lost database: the segments alone give back what opens, and nothing that was to be gone."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from app.accounts import domains, users
from app.config_kinds import HostPort
from app.delivery import desk, queue
from app.fsck.check import check
from app.fsck.ports import Store
from app.fsck.rebuild import Rebuild
from app.keys.agent import KeyAgent
from app.keys.client import KeysClient
from app.keys.server import KeysServer
from app.models import Domain, QueueItem
from app.viewer import Role
from archive_store.address import EmailAddress
from archive_store.db import Database
from archive_store.keyring import KeyringFile
from archive_store.models import Entry, Mailbox, Message
from archive_store.segments import KeySlot
from archive_store.segments.frame import ENTRY_SLOTS, QUEUE_SLOTS, MessageFrame, wrap_position
from tests.app.conftest import OPERATOR, World
from tests.app.fsck.conftest import deleted_in_an_older_segment, flip, segment_of, store_in, today
from tests.app.fsck.test_check import MAIL, messages
from tests.parts.seaweedfs import anywhere
from tests.parts.tables import make_tables

Another = Callable[[World], AbstractContextManager[Store]]


@pytest.fixture
def another_database(database_url: str) -> Another:
    """The same segments and keyring beside an empty database, of each kind that there is."""
    return partial(beside, database_url)


@contextmanager
def beside(url: str, world: World) -> Iterator[Store]:
    db = Database(url)
    make_tables(db)
    keyring = KeyringFile(world.config.keyring)
    agent = KeyAgent(db, keyring, world.config, world.public, world.clock)
    folder = Path(tempfile.mkdtemp(prefix="la-"))  # short, as the path of a socket must be
    server = KeysServer(agent, folder)
    keys = KeysClient(folder, "admin")
    try:
        yield replace(store_in(world), db=db, keys=keys)
    finally:
        keys.close()
        server.close()
        db.close()
        folder.rmdir()


def octets_of(store: Store, entry: Entry, message: Message) -> bytes:
    [key] = store.keys.verify_entries("test", [entry.id]).values()
    return store.reader.open(message, key).octets


def rebuilt_entries(store: Store) -> list[tuple[Entry, Message]]:
    with store.db.read() as tx:
        query = select(Entry, Message).join(Message, Entry.message_id == Message.id)
        return [(entry, message) for entry, message in tx.execute(query.order_by(Entry.seq))]


@anywhere
def test_mail_comes_back_whole_with_its_mailboxes_and_what_waits(
    world: World, another_database: Another
) -> None:
    both, two = ("vlad@acme.example", "maria@acme.example"), b"Subject: two\r\n\r\n"
    shown = [
        *world.receive(MAIL, *both),
        *world.receive(two),
    ]
    with another_database(world) as store:
        found = Rebuild(store, world.clock()).run()
        assert (found.domains, found.mailboxes) == (1, 2)
        assert (found.messages, found.entries, found.queue_items) == (2, 3, 3)
        assert (found.quarantined, found.conflicts) == (0, [])
        checked = check(store)
        assert (checked.problems, checked.opened, checked.orphan_frames) == ([], 3, 0)
        rows = rebuilt_entries(store)
        assert {octets_of(store, *row) for row in rows} == {MAIL, two}
        with store.db.read() as tx:
            assert set(tx.scalars(select(Mailbox.address))) == set(both)
            items = list(tx.scalars(select(QueueItem)))
        assert {item.state for item in items} == {queue.HELD}
        assert {item.entry_id for item in items} == {world.entry(one).id for one in shown}
        assert Rebuild(store, world.clock()).run().entries == 0  # a second time adds nothing


def test_a_person_who_is_added_again_finds_the_mail(
    world: World, another_database: Another
) -> None:
    world.receive(MAIL)
    with another_database(world) as store:
        Rebuild(store, world.clock()).run()
        address = EmailAddress.parse("vlad@acme.example")
        new = users.NewUser(address=address, name="Vlad", role=Role.USER, password_hash="x")
        with store.db.write() as tx:
            user = users.add(tx, OPERATOR, new, world.clock())
        [(entry, _)] = rebuilt_entries(store)
        assert entry.mailbox_id == user.mailbox_id


@pytest.mark.parametrize("kinds", [ENTRY_SLOTS, QUEUE_SLOTS], ids=["deleted", "delivered"])
@anywhere
def test_what_was_erased_does_not_come_back(
    world: World, another_database: Another, kinds: tuple[bytes, ...]
) -> None:
    world.receive(MAIL)
    [(ref, octets)] = messages(world)
    for number, slot in enumerate(MessageFrame.decode(octets).slots):
        if slot.kind in kinds:
            world.segments.erase([KeySlot(ref, wrap_position(number))])
    with another_database(world) as store:
        found = Rebuild(store, world.clock()).run()
        assert found.erased == 1
        assert found.entries == (kinds != ENTRY_SLOTS)
        assert found.queue_items == (kinds != QUEUE_SLOTS)
        assert check(store).clean


@anywhere
def test_what_was_dropped_from_the_queue_does_not_come_back(
    world: World, another_database: Another
) -> None:
    world.receive(MAIL)
    [item] = world.queue()
    desk.drop(world.db, world.segments, OPERATOR, item.id, world.clock(), domain_id=None)
    with another_database(world) as store:
        found = Rebuild(store, world.clock()).run()
        assert (found.entries, found.queue_items, found.erased) == (1, 0, 1)


def test_what_was_deleted_for_good_does_not_come_back_from_an_older_segment(
    world: World, another_database: Another
) -> None:
    wrap = deleted_in_an_older_segment(world, MAIL)
    with another_database(world) as store:
        found = Rebuild(store, world.clock()).run()
        assert (found.entries, found.queue_items, found.erased) == (0, 1, 1)
        assert check(store).clean
    assert wrap not in segment_of(world).read_bytes()


def test_what_does_not_open_goes_into_quarantine_and_the_rest_comes_back(
    world: World, another_database: Another
) -> None:
    for _ in range(2):
        world.receive(MAIL)
    ref, _ = messages(world)[0]
    flip(segment_of(world), ref.offset + wrap_position(0))
    with another_database(world) as store:
        found = Rebuild(store, world.clock()).run()
        assert (found.entries, found.queue_items, found.quarantined) == (1, 2, 1)
        assert store.quarantine.holds(ref)
        assert not store.quarantine.holds(replace(ref, day=today(world), offset=ref.offset + 1))


def test_a_domain_that_was_added_anew_before_is_in_the_way_and_said_to_be(
    world: World, another_database: Another
) -> None:
    world.receive(MAIL)
    with another_database(world) as store:
        with store.db.write() as tx:
            primary = HostPort("127.0.0.1", 2526)
            domains.add(tx, OPERATOR, "acme.example", primary, world.clock())
        found = Rebuild(store, world.clock()).run()
        assert found.entries == 0
        assert "vlad@acme.example" in found.conflicts[0]
        with store.db.read() as tx:
            assert len(list(tx.scalars(select(Domain)))) == 1
