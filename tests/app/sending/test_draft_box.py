"""Drafts: as typed, on every device, sealed like any mail and gone with their days."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.sending.draft_box import DraftBox
from app.views import Outgoing
from archive_store import deletion, ids
from archive_store.errors import NotFound, StoreBusy
from archive_store.models import Entry, Message
from archive_store.reader import frame_ref
from archive_store.segments.frame import ERASED, MessageFrame, Slot
from tests.app.conftest import KEEP, World
from tests.app.reading.mail import PLAIN


def box(world: World) -> DraftBox:
    return world.drafts


def written(**typed: Any) -> Outgoing:
    usual = {
        "identity_id": "",
        "to": "Hanna <hanna@in.exam",
        "cc": "lee@kung.example",
        "bcc": "boss@acme.example",
        "subject": "Grüße\udcff, half a thought",
        "text": "Dear Hanna,\n\n  > kept as it is \n\n",
    }
    return Outgoing(**{**usual, **typed})


def drafts(world: World) -> list[str]:
    page = world.reading.list_folder(world.viewer(), "drafts", page=1, filter="all")
    return [row.id for row in page.rows]


def test_what_was_typed_comes_back_on_another_device(any_world: World) -> None:
    world = any_world
    mine = world.sending.identities(world.viewer())[1].id
    typed = written(identity_id=mine, source_entry="x", source_kind="reply", keep_attachments=(2,))
    saved = box(world).save(world.viewer(), typed, None)
    assert saved.alone
    assert box(world).open(world.viewer(), saved.id) == typed
    world.index()
    [row] = world.reading.list_folder(world.viewer(), "drafts", page=1, filter="all").rows
    assert (row.id, row.seen) == (saved.id, True)
    assert row.subject.startswith("Grüße")
    assert world.reading.counts(world.viewer()).folders["drafts"] == 1
    assert world.queue() == []


def test_each_save_takes_the_place_of_the_one_before_and_its_key_goes(any_world: World) -> None:
    world = any_world
    first = box(world).save(world.viewer(), written(), None)
    entry = world.entry(first.id)
    second = box(world).save(world.viewer(), written(text="More"), first.id)
    assert second.alone
    assert drafts(world) == [second.id]
    with world.db.read() as tx:
        assert tx.scalars(select(Entry).where(Entry.id == ids.read(first.id))).first() is None
        assert tx.get(Entry, entry.seq) is None
    assert slot_of(world, entry).wrap == ERASED


def test_a_transaction_that_fails_leaves_the_draft_and_its_key(any_world: World) -> None:
    world = any_world
    saved = box(world).save(world.viewer(), written(), None)

    def send_and_fail() -> None:
        with world.db.write() as tx:
            assert box(world).drop_in(tx, world.viewer(), saved.id)
            raise StoreBusy("the commit fails")

    with pytest.raises(StoreBusy):
        send_and_fail()
    box(world).finish(world.viewer())
    assert slot_of(world, world.entry(saved.id)).wrap != ERASED
    assert box(world).open(world.viewer(), saved.id).text == written().text
    assert drafts(world) == [saved.id]


def test_a_key_that_could_not_be_erased_goes_with_the_next_sweep_and_is_seen_by_nobody(
    any_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = any_world

    def away(_slots: object) -> None:
        raise StoreBusy("the object store does not answer")

    first = box(world).save(world.viewer(), written(text="heron"), None)
    entry = world.entry(first.id)
    with monkeypatch.context() as failing:
        failing.setattr(world.segments, "erase", away)
        second = box(world).save(world.viewer(), written(), first.id)
    world.index()
    assert second.alone
    assert drafts(world) == [second.id]
    assert world.reading.search(world.viewer(), "heron", page=1).page.rows == ()
    with pytest.raises(NotFound):
        world.reading.original(world.viewer(), first.id)
    assert deletion.finish(world.db, world.segments) == [entry.seq]
    assert slot_of(world, entry).wrap == ERASED


def slot_of(world: World, entry: Entry) -> Slot:
    with world.db.read() as tx:
        message = tx.get_one(Message, entry.message_id)
    return MessageFrame.decode(world.segments.read_with_wraps(frame_ref(message))).slots[entry.slot]


def test_two_devices_that_change_one_draft_keep_both(any_world: World) -> None:
    world = any_world
    start = box(world).save(world.viewer(), written(text="Begun"), None)
    here = box(world).save(world.viewer(), written(text="On the laptop"), start.id)
    there = box(world).save(world.viewer(), written(text="On the phone"), start.id)
    assert (here.alone, there.alone) == (True, False)
    texts = {box(world).open(world.viewer(), one).text for one in drafts(world)}
    assert texts == {"On the laptop", "On the phone"}
    assert box(world).save(world.viewer(), written(), there.id).alone


def test_nobody_else_reads_replaces_or_drops_a_draft(any_world: World) -> None:
    world = any_world
    mine = box(world).save(world.viewer(), written(), None)
    for name in ("maria", "nora"):
        other = world.viewer(name)
        with pytest.raises(NotFound):
            box(world).open(other, mine.id)
        assert not box(world).drop(other, mine.id)
        assert not box(world).save(other, written(), mine.id).alone
    with pytest.raises(NotFound):
        box(world).save(world.viewer("provider"), written(), None)
    assert drafts(world) == [mine.id]


def test_only_a_draft_is_opened_or_dropped_as_one(world: World) -> None:
    [mail] = world.receive(PLAIN)
    with pytest.raises(NotFound):
        box(world).open(world.viewer(), mail)
    assert not box(world).drop(world.viewer(), mail)
    with pytest.raises(NotFound):
        box(world).save(world.viewer(), written(), "no id")
    assert drafts(world) == []
    assert len(world.reading.list_folder(world.viewer(), "inbox", page=1, filter="all").rows) == 1


def test_a_draft_leaves_with_its_days(world: World) -> None:
    saved = box(world).save(world.viewer(), written(), None)
    world.clock.moment += KEEP + timedelta(seconds=1)
    assert drafts(world) == []
    with pytest.raises(NotFound):
        box(world).open(world.viewer(), saved.id)
