"""What lists and messages say about the person's own mail server."""

from sqlalchemy import update

from app.delivery.state import NONE, EntryDelivery, delivery_state
from app.models import QueueItem
from archive_store.clock import utc_now
from archive_store.envelope import Envelope
from archive_store.ids import new_id
from archive_store.sealing import Copy, Incoming, Relay
from tests.app.delivery.conftest import MAIL, World


def state_of(world: World, entry_id: bytes) -> EntryDelivery:
    with world.db.read() as tx:
        return delivery_state(tx, [entry_id])[entry_id]


def mark(world: World, entry_id: bytes, *states: str) -> None:
    items = [item for item in world.items() if item.entry_id == entry_id]
    with world.db.write() as tx:
        for item, state in zip(items, states, strict=True):
            ended = utc_now() if state in ("delivered", "failed", "dropped") else None
            changed = update(QueueItem).where(QueueItem.id == item.id)
            tx.execute(changed.values(state=state, done_at=ended))


def test_incoming_mail_is_only_here_until_the_primary_has_it(world: World) -> None:
    world.add_person("bob@ours.example")
    for item, state, only_here in (
        ("queued", "only_here", True),
        ("leased", "only_here", True),
        ("held", "only_here", True),
        ("dropped", "only_here", True),
        ("failed", "failed", True),
        ("delivered", "delivered", False),
    ):
        [entry] = world.receive("bob@ours.example").entry_ids
        mark(world, entry, item)
        found = state_of(world, entry)
        assert (found.state, found.only_here) == (state, only_here)
        assert (found.at is not None) is (state in ("failed", "delivered"))


def test_sent_mail_tells_the_worst_of_its_recipients(world: World) -> None:
    world.add_person("vlad@ours.example")
    for items, state in (
        (("queued", "queued"), "waiting"),
        (("delivered", "queued"), "waiting"),
        (("delivered", "failed"), "failed"),
        (("delivered", "delivered"), "delivered"),
        (("dropped", "dropped"), "none"),
    ):
        [entry] = world.send("vlad@ours.example", "a@out.example", "b@out.example").entry_ids
        mark(world, entry, *items)
        found = state_of(world, entry)
        assert (found.state, found.only_here) == (state, False)
        assert len(found.items) == 2


def test_the_copy_of_sent_mail_is_told_apart_from_its_delivery(world: World) -> None:
    world.add_person("vlad@ours.example")
    for copy, told in (("queued", "waiting"), ("delivered", "there"), ("failed", "none")):
        box = world.mailboxes["vlad@ours.example"]
        envelope = Envelope("vlad@ours.example", "a@out.example")
        relays = tuple(Relay(kind, envelope, None, box) for kind in ("outgoing", "sent"))
        copies = (Copy(box, envelope, "sent", seen=True),)
        mail = Incoming(world.domain.id, MAIL, utc_now(), copies, relays)
        [entry] = world.archive.submit([mail]).result(30)[0].entry_ids
        with world.db.write() as tx:
            mine = update(QueueItem).where(QueueItem.entry_id == entry, QueueItem.kind == "sent")
            tx.execute(mine.values(state=copy))
        found = state_of(world, entry)
        assert (found.state, found.copy, len(found.items)) == ("waiting", told, 1)


def test_what_is_never_handed_on_has_no_state(world: World) -> None:
    assert state_of(world, new_id()) == NONE


def test_long_lists_are_no_trouble(world: World) -> None:
    with world.db.read() as tx:
        assert len(delivery_state(tx, [new_id() for _ in range(1200)])) == 1200
