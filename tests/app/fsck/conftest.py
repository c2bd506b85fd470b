"""Stores to be damaged, and the check of a world without sockets and audit events."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path

from sqlalchemy.orm import Session

from app.fsck.check import check
from app.fsck.findings import Findings
from app.fsck.ports import Store, days_over
from app.fsck.quarantine import Quarantine
from app.keys.agent import KeyAgent
from app.keys.check_verbs import CheckVerbs
from archive_store.segments.choice import open_hold_segments
from tests.app.conftest import World


class DirectKeys(CheckVerbs):
    """The keys role without its socket and its audit events."""

    def _record(self, tx: Session, operator: str, entries: int) -> None:
        pass


class KeyRowsAreSound(DirectKeys):
    """Leaves out the check of key rows, where the segments alone are looked at."""

    def broken_day_keys(self, key_ids: Sequence[bytes]) -> list[bytes]:
        return []

    def broken_writer_keys(self, key_ids: Sequence[bytes]) -> list[bytes]:
        return []


class SummariesOpenedOnce(KeyRowsAreSound):
    """Also remembers the keys of summaries: they stay as they are while other octets change."""

    def __init__(self, agent: KeyAgent) -> None:
        super().__init__(agent)
        self._opened: dict[bytes, dict[date, bytes]] = {}

    def verify_summaries(self, operator: str, mailbox_id: bytes) -> dict[date, bytes]:
        if mailbox_id not in self._opened:
            self._opened[mailbox_id] = super().verify_summaries(operator, mailbox_id)
        return self._opened[mailbox_id]


def store_in(world: World) -> Store:
    return Store(
        db=world.db,
        segments=world.segments,
        reader=world.reader,
        public=world.public,
        keys=DirectKeys(world.agent),
        holds=partial(open_hold_segments, world.config),
        quarantine=Quarantine(world.config.quarantine_dir),
        operator="test",
        over=days_over(world.config, world.clock()),
        buried=frozenset(stone.entry_id for stone in world.agent.tombstones.read()),
    )


def deleted_in_an_older_segment(world: World, octets: bytes) -> bytes:
    """A message that was deleted for good, whose segment is a copy from before; its key there."""
    [shown] = world.receive(octets)
    older, wrap = segment_of(world).read_bytes(), world.entry(shown).wrap
    viewer = world.viewer()
    for _ in range(2):  # into the trash, and out of it
        world.reading.delete(viewer, [shown])
    segment_of(world).write_bytes(older)
    return wrap


def checked(world: World) -> Findings:
    return check(store_in(world))


def segment_of(world: World) -> Path:
    """The one segment of the door's writer."""
    [path] = world.config.objects_dir.rglob("*.seg")
    return path


def today(world: World) -> date:
    return world.clock().date()


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        [octet] = file.read(1)
        file.seek(at)
        file.write(bytes([octet ^ 1]))
