"""Rows that are inserted in bulk read back as any others."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest
from sqlalchemy import Table, select

from archive_store.bulk import BulkInsert
from archive_store.ids import new_id
from archive_store.models import Entry, Message
from tests.archive_store.conftest import World

NOW = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=UTC)
MESSAGES = BulkInsert(cast(Table, Message.__table__))
ENTRIES = BulkInsert(cast(Table, Entry.__table__))
pytestmark = pytest.mark.folder_only("rows alone, of mail that is nowhere")


def message(message_id: bytes, **changed: Any) -> dict[str, Any]:
    return {
        "id": message_id,
        "tenant_id": new_id(),
        "day": NOW.date(),
        "received_at": NOW,
        "size": 3,
        "segment": "a.seg",
        "frame_offset": 2**40,
        "frame_length": 5,
        **changed,
    }


def entry(message_id: bytes, mailbox_id: bytes, **more: Any) -> dict[str, Any]:
    return {
        "id": new_id(),
        "mailbox_id": mailbox_id,
        "message_id": message_id,
        "folder": "inbox",
        "received_at": NOW,
        "day": NOW.date(),
        "size": 3,
        "slot": 0,
        "writer_key_id": new_id(),
        "wrap": b"w",
        "envelope": b"\x00\xff",
        **more,
    }


def test_values_keep_their_types_and_what_is_left_out_gets_its_default(world: World) -> None:
    mailbox, ids = world.mailbox(), [new_id(), new_id()]
    with world.db.write() as tx:
        MESSAGES.execute(tx, [message(one) for one in ids])
        ENTRIES.execute(tx, [entry(ids[0], mailbox), entry(ids[1], mailbox, seen=True)])
    with world.db.read() as tx:
        first, second = tx.scalars(select(Entry).order_by(Entry.seq))
        stored = tx.get_one(Message, ids[0])
    assert (first.received_at, first.day) == (NOW, date(2026, 3, 1))
    assert (first.message_id, first.envelope) == (ids[0], b"\x00\xff")
    assert (first.seen, second.seen, first.indexed, first.trashed_from) == (False, True, False, "")
    assert first.seq < second.seq
    assert (stored.frame_offset, stored.received_at) == (2**40, NOW)


def test_no_rows_are_no_statement(world: World) -> None:
    with world.db.write() as tx:
        MESSAGES.execute(tx, [])
    with world.db.read() as tx:
        assert tx.scalars(select(Message)).all() == []


def test_a_naive_time_is_refused_as_anywhere(make_world: Callable[[], World]) -> None:
    world = make_world()
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="naive"), world.db.write() as tx:
        MESSAGES.execute(tx, [message(new_id(), received_at=naive)])
