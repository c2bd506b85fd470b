"""What a sender wants to hear of a delivery (RFC 3461), by the deliver role as a whole."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.delivery import delays
from app.models import QueueItem
from archive_store.clock import utc_now
from archive_store.envelope import DsnWishes
from archive_store.models import Entry
from tests.app.delivery.conftest import World, until
from tests.app.delivery.sinks import sink
from tests.parts.network import free_port


def test_a_sender_hears_of_a_failure_only_if_that_is_wanted(world: World) -> None:
    async def scenario() -> None:
        async with sink(answer=lambda line: "550 5.1.1 no" if "RCPT" in line else None) as primary:
            world.point_primary_to(primary.port)
            for notify in ("NEVER", "SUCCESS,DELAY", "FAILURE"):
                world.receive("bob@ours.example", dsn=DsnWishes(notify))
            async with world.delivering():
                await until(lambda: world.states().count("failed") == 3)
        assert len(world.items("outgoing")) == 1  # the report that was asked for

    asyncio.run(scenario())


@pytest.mark.parametrize("offers", [(), ("DSN",)])
def test_success_is_reported_by_whoever_is_the_last_to_know_of_the_wish(
    world: World, offers: tuple[str, ...]
) -> None:
    async def scenario() -> None:
        async with sink(offers=offers) as primary, sink() as smarthost:
            world.point_primary_to(primary.port)
            world.set_smarthost(f"127.0.0.1:{smarthost.port}")
            world.receive("bob@ours.example", dsn=DsnWishes("SUCCESS"))
            world.receive("bob@ours.example")
            async with world.delivering():
                await until(primary.got(2))
                await until(lambda: set(world.states()) == {"delivered"})
        reports = [mail.octets for mail in smarthost.taken]
        assert len(reports) == (0 if offers else 1)
        assert all(b"\r\nAction: relayed\r\n" in one for one in reports)

    asyncio.run(scenario())


@pytest.mark.parametrize("down", [False, True], ids=["it puts mail off", "it is away"])
def test_a_delay_is_told_once_to_who_asked_and_only_of_what_nobody_has_read(
    world: World, down: bool
) -> None:
    read = world.add_person("reader@ours.example")
    world.add_person("busy@ours.example")
    wished = DsnWishes("FAILURE,DELAY")
    for person in ("reader@ours.example", "busy@ours.example", "not-here@ours.example"):
        world.receive(person, dsn=wished)
    world.receive("busy@ours.example", dsn=DsnWishes("FAILURE"))
    world.receive("busy@ours.example")
    world.receive("busy@ours.example", dsn=wished, mail_from="")
    with world.db.write() as tx:
        tx.execute(update(Entry).where(Entry.mailbox_id == read).values(seen=True))
        late = update(QueueItem).where(QueueItem.queued_at > utc_now() - timedelta(hours=1))
        tx.execute(late.values(queued_at=utc_now() - delays.AFTER))
    world.receive("busy@ours.example", dsn=wished)  # just now

    async def scenario() -> list[bytes]:
        put_off = sink(answer=lambda line: "451 4.3.0 later" if "RCPT" in line else None)
        async with put_off as primary, sink() as smarthost:
            world.point_primary_to(free_port() if down else primary.port)
            world.set_smarthost(f"127.0.0.1:{smarthost.port}")
            for attempt in (1, 2):
                async with world.delivering():
                    await until(
                        lambda n=attempt: all(  # type: ignore[misc] # of this round
                            item.attempts >= n and item.state == "queued"
                            for item in world.items("primary")
                        )
                    )
                    await until(lambda: {i.state for i in world.items("outgoing")} == {"delivered"})
                world.make_due()
            return [mail.octets for mail in smarthost.taken]

    reports = asyncio.run(scenario())
    assert [b"\r\nAction: delayed\r\n" in one for one in reports] == [True, True]
    told = [b"busy@ours.example" in one for one in reports]
    assert sorted(told) == [False, True]
    assert all(b"Will-Retry-Until: " in one for one in reports)
