"""A copy of everything from the first day, beside the keyring of the eighth, opens nothing."""

import contextlib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psycopg
from sqlalchemy import select
from sqlalchemy.engine import make_url

from app.backup import backup, restore
from app.config import Config
from app.models import QueueItem
from app.wiring import Parts
from archive_store import seal
from archive_store.db import Database
from archive_store.directory import Owner
from archive_store.errors import KeysMissing, SealBroken
from archive_store.keyring import Keyring
from archive_store.models import DayKey, Entry, Mailbox, MaillogLine
from archive_store.opening import KeyOpener
from tests.app.conftest import World


@contextlib.contextmanager
def image(world: World, folder: Path) -> Iterator[Database]:
    """The database of a backup, brought back into a place of its own."""
    parts = SimpleNamespace(db=world.db, store=world.config, segments=world.segments)
    backup(cast(Parts, parts), folder / "backup", "tester", world.clock())
    options, url = {"DATA_DIR": str(folder / "image")}, make_url(world.config.database)
    with contextlib.ExitStack() as ending:
        if not world.db.is_sqlite:
            name = f"{url.database}_image"
            server = url.set(drivername="postgresql").render_as_string(hide_password=False)
            admin = ending.enter_context(psycopg.connect(server, autocommit=True))
            admin.execute(f"CREATE DATABASE {name}".encode())
            ending.callback(admin.execute, f"DROP DATABASE {name} WITH (FORCE)".encode())
            options["DATABASE_URL"] = url.set(database=name).render_as_string(hide_password=False)
        config = Config.load({}, options)
        restore(config, folder / "backup", "tester", world.clock())
        yield ending.enter_context(contextlib.closing(Database(config.store.database)))


def opened(db: Database, keyring: Keyring) -> dict[str, int]:
    """How much of each kind opens, as the product's own reader opens it."""
    opener, counts = KeyOpener(keyring), dict.fromkeys(("mail", "queue", "summary", "log"), 0)
    with db.read() as tx:
        for entry in tx.scalars(select(Entry)):
            box = tx.get_one(Mailbox, entry.mailbox_id)
            owner, wrap = Owner.mailbox(box.tenant_id, box.id), (entry.writer_key_id, entry.wrap)
            with contextlib.suppress(KeysMissing, SealBroken):
                opener.content_key(tx, owner, entry.day, (entry.message_id, entry.id), wrap)
                counts["mail"] += 1
            counts["summary"] += entry.day in opener.summary_keys(tx, owner)
        for item in tx.scalars(select(QueueItem)):
            owner, wrap = Owner.mailbag(item.domain_id), (item.writer_key_id, item.wrap)
            with contextlib.suppress(KeysMissing, SealBroken):
                opener.content_key(tx, owner, item.day, (item.message_id, item.id), wrap)
                counts["queue"] += 1
        for line in tx.scalars(select(MaillogLine)):
            with contextlib.suppress(KeysMissing, SealBroken):
                opener.writer_key(tx, Owner.log(line.tenant_id), line.writer_key_id)
                counts["log"] += 1
    return counts


def day_keys_opened(db: Database, keyring: Keyring, day: date) -> int:
    """How many day keys of a day any key of the keyring opens, whatever day it says it is of."""
    keys = [key for days in keyring.days.values() for key in days.values()]
    found = 0
    with db.read() as tx:
        for row in tx.scalars(select(DayKey).where(DayKey.day == day)):
            owner = Owner(row.series, row.tenant_id, row.owner_id)
            for key in keys:
                with contextlib.suppress(SealBroken):
                    place = owner.place(keyring.installation, "day-key", day)
                    seal.unwrap_kek(key, row.private, place)
                    found += 1
    return found


def keyring_of(world: World) -> Keyring:
    """The keyring as it lies on the disk."""
    return Keyring.from_json(world.config.keyring.read_bytes())


def test_an_image_of_the_first_day_with_the_keyring_of_the_eighth_opens_nothing(
    any_world: World, tmp_path: Path
) -> None:
    world = any_world
    first = world.clock().date()
    for number in range(3):
        world.receive(f"Subject: {number}\r\n\r\nHello\r\n".encode(), "vlad@acme.example")
    world.index()
    with image(world, tmp_path) as db:
        then = keyring_of(world)
        assert opened(db, then) == {"mail": 3, "queue": 3, "summary": 3, "log": 3}
        then.days["log"] = {}
        assert day_keys_opened(db, then, first) > 0

        for _ in range(8):
            world.clock.moment += timedelta(days=1)
            world.agent.expire()
            world.agent.ensure_keys()
        now = keyring_of(world)
        # The mail log is kept for 30 days; it has no mail.
        assert opened(db, now) == {"mail": 0, "queue": 0, "summary": 0, "log": 3}
        now.days["log"] = {}
        assert day_keys_opened(db, now, first) == 0
