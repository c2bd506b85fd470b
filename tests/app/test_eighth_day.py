"""The eighth day of a whole installation, wherever its rows and its segments lie."""

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import obstore
import pytest
from sqlalchemy import func, select

from app.models import QueueItem
from app.retention import sweep
from app.wiring import Parts
from archive_store import deletion
from archive_store.clock import day_start, key_expiry
from archive_store.errors import WriteFailed
from archive_store.models import DayKey, Entry, EntryIndex, Message
from archive_store.segments.s3 import open_bucket
from tests.app.conftest import KEEP, World
from tests.app.fsck.conftest import checked
from tests.parts.seaweedfs import anywhere

MOMENT = timedelta(seconds=1)
OF_MAIL = (Entry, EntryIndex, Message, QueueItem)


def stored(world: World) -> list[str]:
    """The files or objects under the installation's place, by their own names."""
    place = world.config.object_store
    if place is None:
        return [path.name for path in world.config.objects_dir.rglob("*") if path.is_file()]
    return [entry["path"] for page in obstore.list(open_bucket(place)) for entry in page]


def rows(world: World) -> list[int]:
    with world.db.read() as tx:
        return [tx.scalar(select(func.count()).select_from(one)) or 0 for one in OF_MAIL]


def swept(world: World) -> None:
    parts = SimpleNamespace(db=world.db, store=world.config, segments=world.segments)
    sweep(cast(Parts, parts), world.agent, world.clock())
    assert checked(world).problems == []


@anywhere
def test_mail_is_hidden_after_seven_days_and_nothing_of_it_is_left_after_the_eighth(
    any_world: World,
) -> None:
    world = any_world
    mail = b"Subject: seven days\r\n\r\n"
    shown, _ = world.receive(mail, "vlad@acme.example", "maria@acme.example")
    world.index()
    received, today = world.entry(shown).received_at, world.entry(shown).day
    names = stored(world)
    assert names
    assert rows(world) == [2, 2, 1, 2]

    def seen() -> int:
        return world.reading.search(world.viewer(), "seven", 1).page.total

    world.clock.moment = received + KEEP - MOMENT
    assert seen() == 1
    world.clock.moment = received + KEEP
    assert seen() == 0
    swept(world)
    assert stored(world) == names

    world.clock.moment = key_expiry(today, KEEP) - MOMENT
    swept(world)
    assert today in world.agent.keyring.days["mail"]
    assert stored(world) == names

    world.clock.moment += MOMENT
    assert world.clock() == day_start(today) + timedelta(days=8)
    swept(world)
    assert today not in world.agent.keyring.days["mail"]
    assert stored(world) == []
    assert rows(world) == [0, 0, 0, 0]
    with world.db.read() as tx:
        past = DayKey.day == today, DayKey.series.in_(("mail", "mailbag"))
        assert tx.scalars(select(DayKey.id).where(*past)).all() == []


def test_a_deleted_key_that_cannot_be_erased_keeps_no_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_slots: object) -> None:
        raise WriteFailed("the disk does not write there")

    shown, *_ = world.receive(b"Subject: put aside\r\n\r\n")
    with world.db.write() as tx:
        deletion.put_aside([tx.merge(world.entry(shown))])
    monkeypatch.setattr(world.segments, "erase", broken)
    world.clock.moment = key_expiry(world.entry(shown).day, KEEP)
    swept(world)
    assert stored(world) == []
    assert rows(world) == [0, 0, 0, 0]
