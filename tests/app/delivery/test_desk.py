"""What people do with the queue, and what the audit trail has of it."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from app.delivery import desk, queue, sealed
from app.models import AuditEvent
from app.viewer import Actor
from app.views import BadEntry
from archive_store.clock import utc_now
from archive_store.errors import NotFound, WriteFailed
from archive_store.ids import new_id
from archive_store.sealing import queue_key
from archive_store.segments import KeySlot
from archive_store.segments.frame import (
    ERASED,
    KIND_MESSAGE,
    QUEUE_SLOTS,
    MessageFrame,
    kind_of,
)
from archive_store.segments.local import LocalSegments
from tests.app.delivery.conftest import MAIL, World
from tests.parts.killing import kills_until_done

ACTOR = Actor.command_line("root")


def acts(world: World) -> tuple[Callable[[bytes, bytes | None], None], ...]:
    def by(act: Callable[..., None]) -> Callable[[bytes, bytes | None], None]:
        def done(item_id: bytes, domain_id: bytes | None) -> None:
            with world.db.write() as tx:
                act(tx, ACTOR, item_id, utc_now(), domain_id=domain_id)

        return done

    return by(desk.hold), by(desk.release), partial(drop, world)


def drop(world: World, item_id: bytes, domain_id: bytes | None = None) -> None:
    desk.drop(world.db, world.segments, ACTOR, item_id, utc_now(), domain_id=domain_id)


def tried(world: World) -> None:
    """Every item has failed once and waits for an hour."""
    now = utc_now()
    with world.db.write() as tx:
        for one in queue.claim(tx, now, "one", 100):
            again = now + timedelta(hours=1)
            queue.defer(tx, "one", [queue.Ending(i, b"", again) for i in one.item_ids])


def audited(world: World) -> list[str]:
    with world.db.read() as tx:
        return list(tx.scalars(select(AuditEvent.kind).order_by(AuditEvent.seq)))


def test_the_list_shows_what_waits_with_its_size_and_opens_with_the_right_key(world: World) -> None:
    world.receive("bob@ours.example")
    with world.db.read() as tx:
        rows, total = desk.list_items(tx, world.domain.id)
        key = world.keys.key(tx, rows[0].item)
    assert total == 1
    assert rows[0].size == len(MAIL)
    envelope = sealed.open_envelope(world.public.installation, rows[0].item, queue_key(key))
    assert envelope.rcpt_to == "bob@ours.example"


def test_a_domain_sees_its_own_items_only(world: World) -> None:
    other = world.add_domain("other.example", port=9)
    world.receive()
    world.receive("eve@other.example", domain=other)
    with world.db.read() as tx:
        assert desk.list_items(tx, other.id)[1] == 1
        assert desk.list_items(tx, None)[1] == 2
        assert len(desk.list_items(tx, None, limit=1, offset=1)[0]) == 1
        assert desk.waiting(tx, other.id).messages == 1
        assert desk.waiting(tx, None).octets == 2 * len(MAIL)


def test_a_message_to_several_waits_once(world: World) -> None:
    world.receive("a@ours.example", "b@ours.example")
    with world.db.read() as tx:
        found = desk.waiting(tx, world.domain.id, "primary")
    assert (found.messages, found.octets) == (1, len(MAIL))
    assert found.oldest == world.items()[0].queued_at


def test_flush_makes_due_what_waits_and_is_audited(world: World) -> None:
    world.receive()
    tried(world)
    now = utc_now()
    with world.db.write() as tx:
        assert desk.flush(tx, ACTOR, world.domain.id, now) == 1
        assert queue.has_due(tx, now)
    assert audited(world) == ["queue.flushed"]
    with world.db.write() as tx:
        assert desk.flush(tx, ACTOR, None, now) == 0
    assert audited(world) == ["queue.flushed"]  # nothing waited: nothing to tell


def test_held_mail_stays_until_it_is_released(world: World) -> None:
    world.receive()
    [item] = world.items()
    now = utc_now()
    with world.db.write() as tx:
        desk.hold(tx, ACTOR, item.id, now, domain_id=world.domain.id)
    with world.db.write() as tx:
        assert queue.claim(tx, now, "one", 10) == []
        assert desk.waiting(tx, None).messages == 1
    with world.db.write() as tx:
        desk.release(tx, ACTOR, item.id, now, domain_id=world.domain.id)
    with world.db.write() as tx:
        assert len(queue.claim(tx, now, "one", 10)) == 1
    assert audited(world) == ["queue.held", "queue.flushed"]


def test_dropped_mail_is_never_delivered_and_the_mailbag_cannot_open_it(world: World) -> None:
    world.receive()
    [item] = world.items()
    drop(world, item.id)
    [item] = world.items()
    assert (item.state, item.wrap) == ("dropped", b"")
    assert audited(world) == ["queue.dropped"]
    assert wraps(world) == {ERASED}


def test_an_item_whose_key_cannot_be_erased_is_not_dropped(world: World) -> None:
    world.receive()
    [item] = world.items()
    with pytest.raises(WriteFailed):
        desk.drop(world.db, FullDisk(), ACTOR, item.id, utc_now(), domain_id=None)
    assert world.items()[0].wrap == item.wrap
    assert wraps(world) == {item.wrap}
    assert audited(world) == []


def test_a_drop_that_is_killed_anywhere_is_finished_by_the_next(world: World) -> None:
    world.receive()
    [item] = world.items()

    def it_opens_or_is_dropped() -> None:
        [now] = world.items()
        assert (now.state, now.wrap) in (("queued", item.wrap), ("dropped", b""))

    kills = kills_until_done(world.db, lambda: drop(world, item.id), it_opens_or_is_dropped)
    assert kills > 0
    assert world.states() == ["dropped"]
    assert wraps(world) == {ERASED}
    assert audited(world) == ["queue.dropped"]


def test_no_file_is_written_while_the_database_is_locked(world: World) -> None:
    world.receive()
    [item] = world.items()
    segments = WithoutLock(world)
    desk.drop(world.db, segments, ACTOR, item.id, utc_now(), domain_id=None)
    assert segments.erased == 1


def test_a_worker_that_took_it_meanwhile_goes_on_by_the_row(world: World) -> None:
    world.receive()
    [item] = world.items()
    with pytest.raises(BadEntry):
        desk.drop(world.db, Overtaken(world), ACTOR, item.id, utc_now(), domain_id=None)
    assert world.states() == ["leased"]
    assert world.items()[0].wrap == item.wrap


class WithoutLock(LocalSegments):
    """One that wants the database's own lock for each write."""

    def __init__(self, world: World) -> None:
        super().__init__(Path("/"), 0)
        self._world = world
        self.erased = 0

    def erase(self, slots: Sequence[KeySlot]) -> None:
        with self._world.db.write():
            pass
        self._world.segments.erase(slots)
        self.erased += len(slots)


class Overtaken(WithoutLock):
    """A worker takes the item just now."""

    def erase(self, slots: Sequence[KeySlot]) -> None:
        with self._world.db.write() as tx:
            queue.claim(tx, utc_now(), "one", 10)


class FullDisk(LocalSegments):
    """One that takes no write."""

    def __init__(self) -> None:
        super().__init__(Path("/"), 0)

    def erase(self, slots: Sequence[KeySlot]) -> None:
        raise WriteFailed("no room")


def wraps(world: World) -> set[bytes]:
    """The keys of queue items that lie in the segments."""
    [day] = world.segments.days()
    frames = [octets for _, octets in world.segments.scan(day)]
    found = [MessageFrame.decode(one) for one in frames if kind_of(one) == KIND_MESSAGE]
    return {slot.wrap for one in found for slot in one.slots if slot.kind in QUEUE_SLOTS}


def test_what_is_unknown_or_of_another_domain_is_not_found(world: World) -> None:
    world.receive()
    [item] = world.items()
    other = world.add_domain("other.example", port=9)
    for act in acts(world):
        for item_id, domain_id in ((new_id(), None), (item.id, other.id)):
            with pytest.raises(NotFound):
                act(item_id, domain_id)
    with pytest.raises(NotFound), world.db.write() as tx:
        desk.flush(tx, ACTOR, new_id(), utc_now())
    assert audited(world) == []


def test_what_is_being_delivered_is_left_alone(world: World) -> None:
    world.receive()
    with world.db.write() as tx:
        queue.claim(tx, utc_now(), "one", 10)
    for act in acts(world):
        with pytest.raises(BadEntry):
            act(world.items()[0].id, None)
    assert world.states() == ["leased"]


def test_only_what_waits_is_held_and_only_what_is_held_released(world: World) -> None:
    world.receive()
    [item] = world.items()
    with pytest.raises(BadEntry), world.db.write() as tx:
        desk.release(tx, ACTOR, item.id, utc_now(), domain_id=None)
    drop(world, item.id)
    with pytest.raises(BadEntry), world.db.write() as tx:
        desk.hold(tx, ACTOR, item.id, utc_now(), domain_id=None)
