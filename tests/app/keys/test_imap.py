"""The password of an IMAP master user: sealed, and opened only for copies that wait."""

import pytest
from sqlalchemy import select

from app.keys.imap import DeliverImap, OperatorImap
from app.models import ImapAccess, QueueItem
from app.secret import Secret
from archive_store.errors import NotFound
from tests.app.conftest import World
from tests.app.sending.outbox import letter

WISH = {"host": "imap.acme.example", "port": 993, "tls": "implicit", "master": "livearchive"}
WISH |= {"login": "plain", "names": "address", "sent_folder": ""}
PASSWORD = Secret("opens every mailbox")


def test_it_is_given_only_for_a_copy_that_waits(world: World) -> None:
    operator, deliver = OperatorImap(world.agent), DeliverImap(world.agent)
    operator.set_imap("root", world.acme.id, WISH, PASSWORD)
    viewer = world.viewer()
    world.sending.send(viewer, letter(world, viewer))
    with world.db.read() as tx:
        items = {item.kind: item.id for item in tx.scalars(select(QueueItem))}
        access = tx.get_one(ImapAccess, world.acme.id)
    assert PASSWORD.reveal().encode() not in access.sealed
    assert sorted(items) == ["outgoing", "sent"]
    assert deliver.open_imap([items["outgoing"]]) == {}
    assert deliver.open_imap([items["sent"]]) == {world.acme.id: PASSWORD}
    with world.db.write() as tx:
        tx.get_one(QueueItem, items["sent"]).state = "delivered"
    assert deliver.open_imap([items["sent"]]) == {}
    assert len(world.events("imap.set")) == 1


def test_an_operator_who_tries_it_out_is_recorded(world: World) -> None:
    operator = OperatorImap(world.agent)
    with pytest.raises(NotFound):
        operator.try_imap("root", world.acme.id, "vlad@acme.example")
    operator.set_imap("root", world.acme.id, WISH, PASSWORD)
    assert operator.try_imap("root", world.acme.id, "vlad@acme.example") == PASSWORD
    [event] = world.events("imap.opened")
    assert b"vlad@acme.example" in event
    assert PASSWORD.reveal().encode() not in event


def test_a_password_of_another_domain_does_not_open_in_its_place(world: World) -> None:
    operator = OperatorImap(world.agent)
    operator.set_imap("root", world.acme.id, WISH, PASSWORD)
    operator.set_imap("root", world.other.id, WISH, Secret("another"))
    with world.db.write() as tx:
        acme, other = (tx.get_one(ImapAccess, one.id) for one in (world.acme, world.other))
        other.sealed, other.id = acme.sealed, acme.id
    viewer = world.viewer()
    world.sending.send(viewer, letter(world, viewer))
    with world.db.write() as tx:
        item = tx.scalars(select(QueueItem).where(QueueItem.kind == "sent")).one()
        item.domain_id = world.other.id
        item_id = item.id
    assert DeliverImap(world.agent).open_imap([item_id]) == {world.other.id: None}
