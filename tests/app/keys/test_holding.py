"""Legal holds: what is held outlives its days until it is released, and then nothing opens it."""

import errno
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import func, select, update

from app import retention
from app.holding import HoldDesk
from app.keys.client import KeysClient
from app.keys.holding import Wanted
from app.models import Hold
from app.viewer import Actor, Role
from app.wiring import Parts
from archive_store import ids
from archive_store.clock import day_of, key_expiry
from archive_store.errors import KeysMissing, NotFound, StoreBusy
from archive_store.held import HeldReader
from archive_store.ids import new_id
from archive_store.keyring import Keyring
from archive_store.models import Entry, HeldEntry, Message
from archive_store.segments.choice import open_hold_segments
from tests.app.conftest import World
from tests.parts.killing import kills_until_done
from tests.parts.seaweedfs import anywhere

MAIL = b"Subject: contract\r\n\r\nthe canary sings\r\n"
OTHER = b"Subject: lunch\r\n\r\nsoup\r\n"
DAY = timedelta(days=1)
WHY = "matter 7"
VLAD = "vlad@acme.example"


class Holds:
    """A world whose holds are placed from the command line, and whose time can pass."""

    def __init__(self, world: World) -> None:
        self.world = world
        holds = partial(open_hold_segments, world.config)
        self.reader = HeldReader(world.db, world.reader, holds)
        self.parts = cast(
            Parts,
            SimpleNamespace(
                db=world.db,
                segments=world.segments,
                store=world.config,
                public=world.public,
                held_reader=self.reader,
            ),
        )
        self.client = KeysClient(world.folder, "admin")
        self.desk = HoldDesk(self.parts, self.client, "root", WHY)

    def sweep(self, at: datetime) -> None:
        self.world.clock.moment = at
        retention.sweep(self.parts, self.world.agent, at)

    def octets(self, shown: str) -> list[bytes]:
        return [held.octets for held in self.desk.export(shown)]

    def rows(self, table: type[Hold | HeldEntry | Entry | Message]) -> int:
        with self.world.db.read() as tx:
            return tx.scalar(select(func.count()).select_from(table)) or 0

    def files(self) -> list[str]:
        folder = self.world.config.objects_dir
        return [path.name for path in folder.rglob("*") if path.is_file()]

    def over(self) -> datetime:
        """When all that was stored today is past its days."""
        return key_expiry(day_of(datetime.now(self.world.clock().tzinfo)), self.world.config.keep)


def holding(world: World) -> Iterator[Holds]:
    holds = Holds(world)
    with closing(holds.client):
        yield holds


@pytest.fixture
def holds(world: World) -> Iterator[Holds]:
    yield from holding(world)


@pytest.fixture
def any_holds(any_world: World) -> Iterator[Holds]:
    yield from holding(any_world)


@anywhere
def test_what_is_held_opens_after_its_days_and_not_after_its_release(any_holds: Holds) -> None:
    holds, world = any_holds, any_holds.world
    world.receive(MAIL)
    world.receive(OTHER, "maria@acme.example")
    hold = holds.desk.hold_mailbox(VLAD)
    assert (hold.address, hold.reason, hold.messages) == (VLAD, WHY, 1)
    today = world.clock()
    holds.sweep(today + 20 * DAY)
    assert (holds.rows(Entry), holds.rows(Message), world.segments.days()) == (0, 0, [])
    [held] = holds.desk.export(hold.id)
    assert (held.octets, held.genuine, held.envelope.rcpt_to) == (MAIL, True, VLAD)

    holds.desk.release(hold.id)
    assert world.agent.keyring.holds == {}
    with pytest.raises(NotFound):
        holds.octets(hold.id)
    holds.sweep(today + 20 * DAY)
    assert (holds.rows(Hold), holds.rows(HeldEntry), holds.files()) == (0, 0, [])
    with closing(open_hold_segments(world.config, ids.read(hold.id))) as segments:
        assert segments.days() == []


def test_the_keyring_of_after_a_release_opens_no_older_copy(holds: Holds) -> None:
    world = holds.world
    [shown] = world.receive(MAIL)
    hold = holds.desk.hold_mailbox(VLAD)
    holds.sweep(holds.over())
    with world.db.read() as tx:
        image = tx.scalars(select(HeldEntry)).one()
    before = world.config.keyring.read_bytes()
    assert set(world.agent.holder.content_keys([image])) == {ids.read(shown)}
    holds.desk.release(hold.id)
    after = Keyring.from_json(world.config.keyring.read_bytes())
    with pytest.raises(KeysMissing):
        after.hold_key(image.hold_id)
    [key] = Keyring.from_json(before).holds.values()
    kept = [*after.days["mail"].values(), *after.days["mailbag"].values()]
    assert key not in kept
    assert world.agent.holder.content_keys([image]) == {}


def test_mail_that_comes_in_is_held_even_when_it_is_deleted_for_good_at_once(
    any_holds: Holds,
) -> None:
    holds, world = any_holds, any_holds.world
    hold = holds.desk.hold_mailbox(VLAD)
    [shown] = world.receive(MAIL)
    viewer = world.viewer()
    world.reading.delete(viewer, [shown])
    world.reading.delete(viewer, [shown])
    assert holds.rows(Entry) == 0
    assert holds.octets(hold.id) == [MAIL]
    holds.sweep(holds.over())
    assert holds.octets(hold.id) == [MAIL]


def test_what_a_search_found_is_held_and_nothing_else(holds: Holds) -> None:
    world = holds.world
    world.receive(MAIL)
    world.receive(OTHER)
    world.receive(MAIL, "maria@acme.example")
    world.index()
    hold = holds.desk.hold_found("acme.example", "canary")
    assert (hold.address, hold.messages) == ("", 2)
    world.receive(MAIL)
    holds.sweep(holds.over())
    assert holds.octets(hold.id) == [MAIL, MAIL]
    with pytest.raises(NotFound, match="found nothing"):
        holds.desk.hold_found("acme.example", "canary")
    with pytest.raises(NotFound, match="says nothing"):
        holds.desk.hold_found("acme.example", " ")


def test_two_holds_of_one_mail_are_released_apart(holds: Holds) -> None:
    holds.world.receive(MAIL)
    first, second = holds.desk.hold_mailbox(VLAD), holds.desk.hold_mailbox(VLAD)
    holds.sweep(holds.over())
    holds.desk.release(first.id)
    holds.sweep(holds.over())
    assert holds.octets(second.id) == [MAIL]


@pytest.mark.parametrize("days", [1, 90])
def test_a_hold_outlives_every_length_of_the_window(holds: Holds, days: int) -> None:
    world, keep = holds.world, timedelta(days=days)
    world.config = replace(world.config, keep=keep, mailbag_keep=keep)
    world.agent.config = world.config
    held = Holds(world)
    with closing(held.client):
        world.receive(MAIL)
        hold = held.desk.hold_mailbox(VLAD)
        held.sweep(held.over() - timedelta(minutes=1))
        assert held.rows(Entry) == 1
        held.sweep(held.over())
        assert held.rows(Entry) == 0
        assert held.octets(hold.id) == [MAIL]


def test_what_was_past_its_days_is_not_brought_back_by_a_hold(holds: Holds) -> None:
    world = holds.world
    world.receive(MAIL, at=world.clock() - world.config.keep - timedelta(seconds=1))
    assert holds.desk.hold_mailbox(VLAD).messages == 0


def test_a_sweep_that_is_killed_anywhere_loses_nothing_and_leaves_nothing(
    any_holds: Holds, monkeypatch: pytest.MonkeyPatch
) -> None:
    holds, world = any_holds, any_holds.world
    monkeypatch.setattr("archive_store.held.FRAMES_AT_ONCE", 1)
    monkeypatch.setattr("archive_store.held.ROWS_AT_ONCE", 1)
    hold = holds.desk.hold_mailbox(VLAD)
    for _ in range(2):
        world.receive(MAIL)
    end = holds.over()

    def nothing_is_lost() -> None:
        world.agent.holder.seal_all()
        assert holds.octets(hold.id) == [MAIL, MAIL]

    assert kills_until_done(world.db, lambda: holds.sweep(end), nothing_is_lost) > 5
    assert world.segments.days() == []
    holds.desk.release(hold.id)
    assert kills_until_done(world.db, lambda: holds.sweep(end)) > 2
    assert (holds.rows(Hold), holds.rows(HeldEntry), holds.files()) == (0, 0, [])


def test_no_key_is_destroyed_while_what_it_opens_cannot_be_sealed_for_its_hold(
    holds: Holds, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = holds.world
    hold = holds.desk.hold_mailbox(VLAD)
    world.receive(MAIL)

    def away(*_: object) -> int:
        raise StoreBusy("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(world.agent.holder, "_step", away)
        with pytest.raises(StoreBusy):
            holds.sweep(holds.over())
    assert holds.rows(Entry) == 1
    holds.sweep(holds.over())
    assert holds.octets(hold.id) == [MAIL]


def test_a_release_that_was_killed_before_the_key_went_is_finished_by_the_next_round(
    holds: Holds, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = holds.desk.hold_mailbox(VLAD)
    with monkeypatch.context() as patch:
        patch.setattr(holds.world.agent.holder, "destroy_released", lambda: None)
        holds.desk.release(hold.id)
    assert holds.world.agent.keyring.holds
    holds.world.agent.expire()
    assert holds.world.agent.keyring.holds == {}


def test_asked_twice_one_hold_is_placed(holds: Holds) -> None:
    world = holds.world
    mailbox = world.mailbox(VLAD)
    wanted = Wanted(hold_id=new_id(), domain_id=world.acme.id, reason=WHY, mailbox_id=mailbox.id)
    for _ in range(2):
        world.agent.holder.place(wanted, Actor.command_line("root"))
    assert holds.rows(Hold) == len(world.agent.keyring.holds) == 1
    assert len(world.events("hold.placed")) == 1


def test_a_row_that_somebody_wrote_into_the_database_holds_nothing(holds: Holds) -> None:
    world = holds.world
    world.receive(MAIL)
    world.receive(OTHER, "maria@acme.example")
    hold = holds.desk.hold_mailbox("maria@acme.example")
    box = world.mailbox(VLAD)
    with world.db.write() as tx:
        forged = Hold(
            id=new_id(),
            domain_id=box.tenant_id,
            mailbox_id=box.id,
            reason="",
            placed_by="",
            placed_at=world.clock(),
        )
        tx.add(forged)
        # And one that is real, turned to another customer's mailbox: retention goes on.
        elsewhere = world.mailbox("nora@other.example").id
        theirs = update(Hold).where(Hold.id == ids.read(hold.id))
        tx.execute(theirs.values(mailbox_id=elsewhere))
    world.receive(MAIL, "nora@other.example")
    holds.sweep(holds.over())
    assert holds.rows(HeldEntry) == 1
    assert holds.rows(Entry) == 0


def test_only_the_auditor_of_the_domain_places_opens_and_releases(any_holds: Holds) -> None:
    holds, world = any_holds, any_holds.world
    world.add_person("ivo@other.example", "Ivo", Role.AUDITOR)
    [shown] = world.receive(MAIL)
    entry_id, box = ids.read(shown), world.mailbox(VLAD).id
    auditor = world.viewer("audit").token
    hold = world.keys.place_hold(auditor, "192.0.2.7", WHY, box)
    for name in ("ivo", "vlad", "maria", "nora", "provider"):
        token = world.viewer(name).token
        with pytest.raises(NotFound):
            world.keys.place_hold(token, "192.0.2.7", WHY, box)
        with pytest.raises(NotFound):
            world.keys.open_held(token, "192.0.2.7", hold, [entry_id])
        with pytest.raises(NotFound):
            world.keys.release_hold(token, "192.0.2.7", WHY, hold)
    keys = world.keys.open_held(auditor, "192.0.2.7", hold, [entry_id])
    with world.db.read() as tx:
        held = tx.get(HeldEntry, (hold, entry_id))
    assert held is not None
    assert holds.reader.open(held, keys[entry_id]).octets == MAIL
    world.keys.release_hold(auditor, "192.0.2.7", "settled", hold)
    kinds = ("hold.placed", "hold.opened", "hold.released")
    events = [event for kind in kinds for event in world.events(kind)]
    assert len(events) == len(kinds)
    assert all(b"audit@acme.example" in event for event in events)
    assert WHY.encode() in events[0]
    assert b"settled" in events[2]


def test_a_held_box_moved_to_another_row_or_hold_does_not_open(holds: Holds) -> None:
    world = holds.world
    first, second = world.receive(MAIL) + world.receive(OTHER)
    holds.desk.hold_mailbox(VLAD)
    with world.db.read() as tx:
        rows = {row.entry_id: row for row in tx.scalars(select(HeldEntry))}
    moved = rows[ids.read(second)]
    moved.wrap = rows[ids.read(first)].wrap
    assert world.agent.holder.content_keys([moved]) == {}
    elsewhere = rows[ids.read(first)]
    elsewhere.tenant_id = world.other.id
    assert world.agent.holder.content_keys([elsewhere]) == {}


def test_octets_that_cannot_be_read_keep_their_day_for_a_while(holds: Holds) -> None:
    world = holds.world
    world.receive(MAIL)
    hold = holds.desk.hold_mailbox(VLAD)
    [day] = world.segments.days()
    folder = world.config.objects_dir / day.isoformat()
    away = world.folder / "not mounted"
    folder.rename(away)
    holds.sweep(holds.over())
    assert (holds.rows(Entry), holds.rows(Message)) == (0, 1)
    with pytest.raises(NotFound):
        holds.octets(hold.id)
    away.rename(folder)
    holds.sweep(holds.over())
    assert (holds.octets(hold.id), world.segments.days()) == ([MAIL], [])


def test_a_disk_that_fails_once_loses_nothing_held_and_one_that_always_fails_is_given_up(
    holds: Holds, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    world = holds.world
    world.receive(MAIL)
    hold = holds.desk.hold_mailbox(VLAD)
    for days in range(2):
        with monkeypatch.context() as failing:
            failing.setattr(os, "pread", fail)
            holds.sweep(holds.over() + days * DAY)
        assert holds.octets(hold.id) == [MAIL]
    monkeypatch.setattr(os, "pread", fail)
    holds.sweep(holds.over() + 2 * DAY)
    assert (holds.rows(Message), holds.rows(HeldEntry), world.segments.days()) == (0, 1, [])
