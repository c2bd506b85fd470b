"""What the operator's commands do leaves its trace, also when they end half-way."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.keys.client import KeysClient
from app.operations import import_messages, record_repair
from app.wiring import Parts
from archive_store import ids
from archive_store.archive import Archive
from archive_store.errors import StoreFull
from tests.app.conftest import World


class Filling:
    """An archive whose disk is full after some mail."""

    def __init__(self, archive: Archive, room: int) -> None:
        self._archive, self._room = archive, room

    def submit(self, mails: Any) -> Any:
        self._room -= 1
        if self._room < 0:
            raise StoreFull("no room")
        return self._archive.submit(mails)

    def close(self) -> None:
        """The world closes it."""


def test_an_import_that_ends_half_way_is_in_the_trail(world: World) -> None:
    filling = Filling(world.archive, 2)
    parts = cast(Parts, SimpleNamespace(db=world.db, archive=lambda _: filling))
    with pytest.raises(StoreFull):
        import_messages(parts, "root", "vlad@acme.example", [b"x"] * 5, lambda: None)
    [event] = world.events("message.imported")
    assert b'"count":2' in event
    assert b"root" in event


def test_opening_mail_to_check_it_is_in_the_trail_with_who_did_it(world: World) -> None:
    [shown] = world.receive(b"Subject: x\r\n\r\n")
    operator = KeysClient(world.folder, "admin")
    try:
        assert set(operator.verify_entries("root", [ids.read(shown)])) == {ids.read(shown)}
    finally:
        operator.close()
    [event] = world.events("store.checked")
    assert b'"entries":1' in event
    assert b"root" in event


def test_a_repair_is_in_the_trail(world: World) -> None:
    record_repair(cast(Parts, SimpleNamespace(db=world.db)), "root", 9, 3)
    [event] = world.events("store.checked")
    assert b'"taken_out":3' in event
