"""What a sender wants to hear of a delivery (RFC 3461), by the deliver role as a whole."""

import asyncio

import pytest

from archive_store.envelope import DsnWishes
from tests.app.delivery.conftest import World, until
from tests.app.delivery.sinks import sink


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
