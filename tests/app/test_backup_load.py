"""A backup made while mail comes in, is read, deleted and swept: whole, and without any key.

`LIVEARCHIVE_BACKUP_SECONDS` is how long the load goes on before the backup begins, and so how
much there is to copy; by itself the test is as short as it can be.
"""

import base64
import itertools
import json
import os
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from app.backup import DUMP, backup, restore
from app.cli.access import keys_for
from app.config import Config
from app.fsck.check import check
from app.fsck.ports import store_of
from app.operations import MailboxReader
from app.retention import sweep
from app.wiring import Parts
from archive_store import ids
from archive_store.segments.local import LocalSegments
from archive_store.tombstones import Tombstones
from tests.app.conftest import World
from tests.parts.network import wait_until

pytestmark = pytest.mark.whole_database

SECONDS = float(os.environ.get("LIVEARCHIVE_BACKUP_SECONDS", "0"))
OLD = timedelta(days=30)


class Load:
    """Mail for vlad, a third of it deleted for good again; sweeps that each find an old day."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._parts = cast(
            Parts, SimpleNamespace(db=world.db, segments=world.segments, store=world.config)
        )
        self._old = LocalSegments(world.config.objects_dir, 1)
        self._stop = threading.Event()
        self.stored: dict[str, bytes] = {}  # by entry, what got its 250
        self.deleted: set[str] = set()  # for good, and answered
        self.sweeps = 0
        self.failed: list[BaseException] = []
        steps = (self._receive, self._delete, self._sweep)
        self._threads = [threading.Thread(target=self._run, args=(step,)) for step in steps]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, step: Callable[[int], None]) -> None:
        try:
            for number in itertools.count():
                if self._stop.is_set():
                    return
                step(number)
        except BaseException as error:
            self.failed.append(error)
            raise

    def _receive(self, number: int) -> None:
        octets = f"Subject: {number}\r\n\r\n{secrets.token_hex(2000)}\r\n".encode()
        [shown] = self._world.receive(octets)
        self.stored[shown] = octets
        if number % 8 == 0:
            self._world.index()

    def _delete(self, number: int) -> None:
        if number == 0:
            self._viewer = self._world.viewer()
        wait_until(lambda: len(self.stored) > 3 * number + 3 or self._stop.is_set(), "mail")
        if not self._stop.is_set():
            shown = list(self.stored)[3 * number]
            for _ in range(2):  # into the trash, and out of it
                self._world.reading.delete(self._viewer, [shown])
            self.deleted.add(shown)

    def _sweep(self, _: int) -> None:
        day = (self._world.clock() - OLD).date()
        self._old.append(day, [b"an old day"])
        sweep(self._parts, self._world.agent)
        assert day not in self._world.segments.days()
        self.sweeps += 1

    @property
    def busy(self) -> bool:
        return len(self.stored) > 12 and len(self.deleted) > 2 and self.sweeps > 1


def test_a_backup_under_load_comes_back_whole_and_holds_no_key_of_the_keyring(
    any_world: World, second_database_url: str, tmp_path: Path
) -> None:
    world, folder = any_world, tmp_path / "backup"
    with Load(world) as load:
        wait_until(lambda: load.busy or bool(load.failed), "all of the load goes on", 120)
        time.sleep(SECONDS)
        before = dict(load.stored)
        backup(load._parts, folder, "root", world.clock())
        deleted = len(load.deleted)
        wait_until(lambda: len(load.deleted) > deleted or bool(load.failed), "one more", 120)
    assert load.failed == []

    keyring, stones = world.config.keyring, Tombstones.beside(world.config.keyring).path
    assert found_in(everything(keyring.parent), keyring) == all_secrets(keyring)
    assert found_in(everything(folder), keyring) == set()

    config = config_of(tmp_path / "data", second_database_url)
    restore(config, folder, "root", world.clock())
    for path in (keyring, stones):
        shutil.copy(path, config.store.keys_dir)
    with closing(Parts(config, "admin")) as parts, keys_for(parts) as keys:
        found = check(store_of(parts, keys, "root", world.clock()))
        assert found.problems == []
        exported = MailboxReader(parts, keys, "root", "test").export("vlad@acme.example")
        there = {ids.show(entry_id): octets for entry_id, octets in exported}
    assert not load.deleted & there.keys()
    assert before.keys() - load.deleted <= there.keys()
    assert all(octets == load.stored[shown] for shown, octets in there.items())


def config_of(data: Path, url: str) -> Config:
    given = {} if url.startswith("sqlite") else {"DATABASE_URL": url}
    return Config.load({}, {"DATA_DIR": str(data)} | given)


def all_secrets(keyring: Path) -> set[str]:
    """The keyring's keys, as text of base64."""
    found = json.loads(keyring.read_bytes())
    days = (key for keys in found["days"].values() for key in keys.values())
    return {found["directory"], found["audit"], *days}


def found_in(files: Iterator[bytes], keyring: Path) -> set[str]:
    """Which of them stand in some octets: raw, as hexadecimal, or as text."""
    found = set()
    for octets in files:
        for text in all_secrets(keyring):
            raw = base64.b64decode(text)
            if any(form in octets for form in (raw, raw.hex().encode(), text.encode())):
                found.add(text)
    return found


def everything(folder: Path) -> Iterator[bytes]:
    """The octets of each file; those of PostgreSQL's dump as the statements that it packs."""
    for path in folder.rglob("*"):
        if path.name == DUMP:
            unpack = ["pg_restore", "--file=-", str(path)]
            yield subprocess.run(unpack, capture_output=True, check=True).stdout
        elif path.is_file():
            yield path.read_bytes()
