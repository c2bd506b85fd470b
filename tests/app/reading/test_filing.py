"""Moving, deleting, restoring, marking; and that a final delete takes the key with it."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.keys.client import KeysClient
from archive_store import deletion
from archive_store.errors import FrameBroken, NotFound, StoreBusy
from archive_store.models import EntryIndex, Message
from archive_store.reader import frame_ref
from archive_store.segments.frame import ERASED, MessageFrame
from tests.app.conftest import KEEP, World
from tests.app.reading.mail import PLAIN, mail


def folder(world: World, name: str) -> list[str]:
    page = world.reading.list_folder(world.viewer(), name, page=1, filter="all")
    return [row.id for row in page.rows]


def test_moving_is_on_the_record(any_world: World) -> None:
    world = any_world
    [entry_id] = world.receive(PLAIN)
    viewer = world.viewer()
    world.reading.move(viewer, [entry_id], "archive")
    world.reading.move(viewer, [entry_id], "archive")
    assert folder(world, "archive") == [entry_id]
    assert folder(world, "inbox") == []
    [event] = world.events("message.moved")
    assert b'"folder":"archive"' in event
    for name in ("starred", "drafts", "outbox"):
        with pytest.raises(NotFound):
            world.reading.move(viewer, [entry_id], name)
    assert folder(world, "archive") == [entry_id]


def test_to_the_trash_and_back_to_where_it_was(any_world: World) -> None:
    world = any_world
    [entry_id] = world.receive(PLAIN)
    viewer = world.viewer()
    world.reading.move(viewer, [entry_id], "archive")
    world.reading.delete(viewer, [entry_id])
    assert folder(world, "trash") == [entry_id]
    [event] = world.events("message.deleted")
    assert b'"for_good":false' in event
    world.reading.restore(viewer, [entry_id])
    assert folder(world, "archive") == [entry_id]
    world.reading.restore(viewer, [entry_id])
    assert folder(world, "archive") == [entry_id]


def test_nothing_comes_back_from_the_trash_once_its_time_is_over(any_world: World) -> None:
    world = any_world
    [entry_id] = world.receive(PLAIN)
    world.reading.delete(world.viewer(), [entry_id])
    world.clock.moment = world.entry(entry_id).received_at + KEEP - timedelta(seconds=1)
    world.reading.restore(world.viewer(), [entry_id])
    world.reading.delete(world.viewer(), [entry_id])
    world.clock.moment += timedelta(seconds=1)
    with pytest.raises(NotFound):
        world.reading.restore(world.viewer(), [entry_id])
    assert world.entry(entry_id).folder == "trash"


def test_moving_to_the_trash_is_deleting(world: World) -> None:
    [entry_id] = world.receive(PLAIN)
    world.reading.move(world.viewer(), [entry_id], "trash")
    assert world.entry(entry_id).trashed_from == "inbox"
    assert len(world.events("message.deleted")) == 1


def test_marks(world: World) -> None:
    [entry_id] = world.receive(PLAIN)
    viewer = world.viewer()
    world.reading.mark(viewer, [entry_id, entry_id], seen=True, starred=True)
    assert (world.entry(entry_id).seen, world.entry(entry_id).starred) == (True, True)
    world.reading.mark(viewer, [entry_id], seen=False)
    assert (world.entry(entry_id).seen, world.entry(entry_id).starred) == (False, True)


def test_a_final_delete_is_for_oneself_alone(any_world: World) -> None:
    """The other recipient reads on, and the primary still gets what waits for it."""
    world = any_world
    mine, hers = world.receive(PLAIN, "vlad@acme.example", "maria@acme.example")
    world.index()
    viewer = world.viewer()
    world.reading.list_folder(viewer, "inbox", page=1, filter="all")
    entry = world.entry(mine)
    world.reading.delete(viewer, [mine])
    world.reading.delete(viewer, [mine])
    with world.db.read() as tx:
        message = tx.get_one(Message, entry.message_id)
        assert tx.get(EntryIndex, entry.seq) is None
    for name in ("inbox", "trash"):
        assert folder(world, name) == []
    for use in (world.reading.open_message, world.reading.original):
        with pytest.raises(NotFound):
            use(viewer, mine)
    assert b'"for_good":true' in world.events("message.deleted")[-1]
    maria = world.viewer("maria")
    assert world.reading.original(maria, hers) == PLAIN
    slots = MessageFrame.decode(world.segments.read(frame_ref(message))).slots
    assert [slot.wrap == ERASED for slot in slots] == [True, False, False, False]
    items = world.queue()
    assert {item.state for item in items} == {"queued"}
    deliver = KeysClient(world.folder, "deliver")
    keys = deliver.open_queue([item.id for item in items])
    deliver.close()
    for key in keys.values():
        assert world.reader.open(message, key).octets == PLAIN
    assert len(keys) == 2


def test_after_a_final_delete_no_octet_of_the_key_is_on_disk(world: World) -> None:
    [entry_id] = world.receive(mail(subject="Secret"))
    [kept] = world.receive(PLAIN)
    world.index()
    entry, other = world.entry(entry_id), world.entry(kept)
    with world.db.read() as tx:
        of_entry = select(EntryIndex).where(EntryIndex.entry_seq == entry.seq)
        index = tx.scalars(of_entry).one()
    secrets = {
        "key": entry.wrap,
        "middle of the key": entry.wrap[20:36],
        "summary": index.summary[40:72],
        "words": index.words[40:72],
    }
    assert holders(world.folder, secrets["key"]) >= 2, "database and segment"
    viewer = world.viewer()
    world.reading.delete(viewer, [entry_id])
    world.reading.delete(viewer, [entry_id])
    for name, octets in secrets.items():
        assert holders(world.folder, octets) == 0, name
    assert holders(world.folder, other.wrap) >= 2


def holders(folder: Path, octets: bytes) -> int:
    """How many files hold these octets: the database, its log, the segments, everything."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name.endswith("-wal") for path in files)
    return sum(octets in path.read_bytes() for path in files)


def test_when_the_rows_cannot_be_deleted_the_message_is_still_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    [entry_id] = world.receive(PLAIN)
    viewer = world.viewer()
    world.reading.delete(viewer, [entry_id])

    def busy(*_: object) -> None:
        raise StoreBusy("locked")

    with monkeypatch.context() as patch:
        patch.setattr(deletion, "delete_entries", busy)
        with pytest.raises(StoreBusy):
            world.reading.delete(viewer, [entry_id])
    assert len(world.events("message.deleted")) == 1
    assert world.reading.original(viewer, entry_id) == PLAIN
    world.reading.delete(viewer, [entry_id])
    with pytest.raises(NotFound):
        world.reading.original(viewer, entry_id)


def test_a_frame_is_whole_after_an_erasure(world: World) -> None:
    [entry_id] = world.receive(PLAIN)
    with world.db.read() as tx:
        entry = world.entry(entry_id)
        message = tx.get_one(Message, entry.message_id)
        slots = deletion.key_slots(tx, [entry])
    world.segments.erase(slots)
    frame = MessageFrame.decode(world.segments.read(frame_ref(message)))
    assert frame.slots[entry.slot].wrap == ERASED
    with pytest.raises(FrameBroken):
        MessageFrame.decode(world.segments.read(frame_ref(message))[:-1])
