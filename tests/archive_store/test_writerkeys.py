"""Writer keys: young, in use, and of today, or forgotten."""

from datetime import UTC, datetime, timedelta

import pytest

from archive_store.clock import day_of
from archive_store.directory import Owner
from archive_store.writer import OLD_KEYS_SECONDS
from archive_store.writerkeys import LIFE, REST, WriterKeys
from tests.archive_store.conftest import World

NOON = datetime.now(UTC).replace(hour=12, minute=0)
pytestmark = pytest.mark.folder_only("keys alone, and no mail")


def held(keys: WriterKeys, world: World, owner: Owner, now: datetime) -> bytes:
    with world.db.read() as tx:
        return keys.get(tx, owner, now).id


def test_a_key_that_rests_is_forgotten_within_a_minute(world: World) -> None:
    owner = Owner.mailbox(world.tenant, world.mailbox(today=day_of(NOON)))
    keys = WriterKeys(world.public)
    first = held(keys, world, owner, NOON)
    keys.drop_old(NOON + REST - timedelta(seconds=1))
    assert held(keys, world, owner, NOON + REST) == first  # in use again
    keys.drop_old(NOON + REST * 2)
    assert held(keys, world, owner, NOON + REST * 2) != first
    assert REST + timedelta(seconds=OLD_KEYS_SECONDS) <= timedelta(minutes=1)


def test_a_key_in_steady_use_lives_a_quarter_of_an_hour(world: World) -> None:
    owner = Owner.mailbox(world.tenant, world.mailbox(today=day_of(NOON)))
    keys = WriterKeys(world.public)
    moments = [NOON + timedelta(seconds=30 * step) for step in range(1 + LIFE.seconds // 30)]
    found = []
    for moment in moments:
        keys.drop_old(moment)
        found.append(held(keys, world, owner, moment))
    assert set(found[:-1]) == {found[0]}
    assert found[-1] != found[0]
