"""Mail to people's outside addresses: only where it was confirmed, once for each outage, and
never by way of the server that is down.
"""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.accounts import outside as addresses
from app.config_kinds import HostPort
from app.delivery import outages, outside
from app.delivery.health import State
from app.delivery.outside_sender import OutsideSender
from app.delivery.sealed import open_envelope
from app.keys.outside import sealed
from app.models import Domain, Outage, OutsideAddress, OutsideNotice, PrimaryHealth, User
from app.secret import Secret
from app.viewer import Actor
from archive_store.clock import utc_now
from archive_store.errors import StoreFull
from archive_store.sealing import queue_key
from tests.app.delivery.conftest import World, until
from tests.app.delivery.sinks import sink

WHO = Actor.command_line("root")
CODE = re.compile(rb"\r\n([a-z2-9]{4}(?:-[a-z2-9]{4}){2})\r\n")
MINUTE = timedelta(minutes=1)


def give(world: World, address: str, outside_address: str, *, confirmed: bool = True) -> bytes:
    """An address outside of somebody who is there; the person's id."""
    with world.db.write() as tx:
        user = tx.scalars(select(User).where(User.address == address)).one()
        row = sealed(world.keyring, user.id, outside_address)
        row.set_at = row.asked_since = utc_now()
        row.asked = 1
        row.confirmed_at = utc_now() if confirmed else None
        tx.merge(row)
        tx.get_one(Domain, world.domain.id).outside_notices = True
        return user.id


def outage(world: World, state: State, now: datetime) -> None:
    """The mail server's state as the product sees it from now on."""
    with world.db.write() as tx:
        told = outages.open_one(tx, world.domain.id)
        before = State(told.state) if told else State.UP
        outages.follow(tx, world.domain.id, before, state, now, now)


@contextmanager
def sender(world: World, archive: Any = None) -> Iterator[OutsideSender]:
    config = replace(world.config, public_url="https://live.ours.example")

    async def run_db(job: Any) -> Any:
        return await asyncio.to_thread(job)

    with ThreadPoolExecutor(1) as threads:
        stores = world.db, archive or world.archive
        yield OutsideSender(stores, world.keys, run_db, threads, config)


def is_down(world: World) -> bool:
    with world.db.read() as tx:
        health = tx.get(PrimaryHealth, world.domain.id)
        return health is not None and health.state == State.DOWN


def told(world: World) -> list[str]:
    """To whom mail is on its way to the outside."""
    with world.db.read() as tx:
        return [
            open_envelope(
                world.keyring.installation, item, queue_key(world.keys.key(tx, item))
            ).rcpt_to
            for item in world.items("outgoing")
        ]


def test_a_person_confirms_an_address_and_is_told_there_past_the_server_that_is_down(
    world: World,
) -> None:
    async def scenario() -> None:
        world.add_person("vlad@ours.example")
        async with sink() as out:
            # The smarthost is the very server that is down: the installation's is the way out.
            world.set_smarthost("127.0.0.1:9")
            async with world.delivering(
                public_url="https://live.ours.example",
                outside_tick=0.05,
                smarthost=HostPort("127.0.0.1", out.port),
            ):
                await until(lambda: is_down(world))
                user_id = give(world, "vlad@ours.example", "vlad@home.example", confirmed=False)
                await until(out.got(1))
                asked = out.taken[0]
                found = CODE.search(asked.octets)
                assert found is not None
                code = Secret(found[1].decode().upper().replace("-", " "))
                with world.db.write() as tx:
                    assert not addresses.confirm(tx, WHO, user_id, Secret("abcd"), utc_now())
                    assert addresses.confirm(tx, WHO, user_id, code, utc_now())
                    assert not addresses.confirm(tx, WHO, user_id, code, utc_now())
                with world.db.write() as tx:
                    domain = tx.get_one(Domain, world.domain.id)
                    if (told_of := outages.open_one(tx, domain.id)) is not None:
                        told_of.opened_at -= outside.TOLD_AFTER
                await until(out.got(2))
            word = out.taken[1]
            assert word.mail.startswith("MAIL FROM:<>")
            assert word.rcpt == ["RCPT TO:<vlad@home.example>"]
            text = word.octets.decode()
            assert "Auto-Submitted: auto-generated" in text
            assert "https://live.ours.example" in text
            assert "nothing is lost" in " ".join(text.split())

    asyncio.run(scenario())


def test_an_outage_is_told_once_and_its_end_once_and_a_flapping_server_not_each_time(
    world: World,
) -> None:
    async def scenario() -> None:
        for name in ("vlad", "maria", "away"):
            world.add_person(f"{name}@ours.example")
            give(world, f"{name}@ours.example", f"{name}@home.example")
        give(world, "maria@ours.example", "maria@new.example", confirmed=False)
        with world.db.write() as tx:
            person = tx.scalars(select(User).where(User.address == "away@ours.example")).one()
            person.disabled = True
            tx.scalars(
                select(OutsideAddress).where(OutsideAddress.confirmed_at.is_(None))
            ).one().code_sent_at = utc_now()
        start = utc_now()
        with sender(world) as writes:
            outage(world, State.DOWN, start)
            await writes.turn(start + outside.TOLD_AFTER - MINUTE)
            assert told(world) == []  # it may be over in a moment
            for minutes in (6, 7, 60):
                await writes.turn(start + minutes * MINUTE)
            assert told(world) == ["vlad@home.example"]
            outage(world, State.UP, start + 70 * MINUTE)
            await writes.turn(start + 71 * MINUTE)
            outage(world, State.DOWN, start + 71 * MINUTE)  # the same one goes on
            await writes.turn(start + 80 * MINUTE)
            assert len(told(world)) == 1
            outage(world, State.UP, start + 90 * MINUTE)
            for minutes in (93, 94, 120):
                await writes.turn(start + minutes * MINUTE)
            assert len(told(world)) == 2
            outage(world, State.SLOW, start + 121 * MINUTE)
            await writes.turn(start + 140 * MINUTE)
            outage(world, State.DOWN, start + 141 * MINUTE)
            outage(world, State.UP, start + 142 * MINUTE)
            await writes.turn(start + 147 * MINUTE)
            assert len(told(world)) == 2  # slow is not out, and one minute not worth a mail

    asyncio.run(scenario())


def test_a_second_outage_within_the_hour_and_a_domain_that_says_no_tell_nobody(
    world: World,
) -> None:
    async def scenario() -> None:
        world.add_person("vlad@ours.example")
        give(world, "vlad@ours.example", "vlad@home.example")
        start = utc_now()
        with sender(world) as writes:
            outage(world, State.DOWN, start)
            await writes.turn(start + 6 * MINUTE)
            outage(world, State.UP, start + 8 * MINUTE)
            await writes.turn(start + 11 * MINUTE)
            assert len(told(world)) == 2
            outage(world, State.DOWN, start + 20 * MINUTE)
            await writes.turn(start + 30 * MINUTE)
            assert len(told(world)) == 2
            await writes.turn(start + 67 * MINUTE)
            assert len(told(world)) == 3  # it goes on, and the hour is over
            with world.db.write() as tx:
                tx.get_one(Domain, world.domain.id).outside_notices = False
            outage(world, State.UP, start + 70 * MINUTE)
            await writes.turn(start + 80 * MINUTE)
            assert len(told(world)) == 3

    asyncio.run(scenario())


def test_what_could_not_be_stored_is_told_after_the_lease_and_not_before(world: World) -> None:
    class Full:
        def submit(self, mails: Any) -> Any:
            raise StoreFull("no room")

    async def scenario() -> None:
        world.add_person("vlad@ours.example")
        give(world, "vlad@ours.example", "vlad@home.example")
        now = utc_now()
        outage(world, State.DOWN, now - 10 * MINUTE)
        with sender(world, Full()) as dies, sender(world) as writes:
            with pytest.raises(StoreFull):
                await dies.turn(now)
            await writes.turn(now + outside.LEASE / 2)
            assert told(world) == []
            await writes.turn(now + outside.LEASE)
            await writes.turn(now + 10 * outside.LEASE)
            assert told(world) == ["vlad@home.example"]
        with world.db.read() as tx:
            assert tx.scalars(select(OutsideNotice.opening_at)).all() == [now + outside.LEASE]
            assert tx.scalars(select(Outage.closed_at)).all() == [None]

    asyncio.run(scenario())
