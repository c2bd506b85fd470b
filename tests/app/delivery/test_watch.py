"""A primary that is not well, seen by a running deliver role: real sockets, real replies."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.delivery import health, outages, schedule, watch
from app.delivery.config import Timeouts
from app.delivery.contact import Contact, Reached
from app.delivery.courier import Courier
from app.delivery.mx import Target
from app.models import AuditEvent, Domain, PrimaryHealth
from app.viewer import Actor
from archive_store.clock import utc_now
from tests.app.delivery.conftest import World, until
from tests.app.delivery.sinks import Sink, sink


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What must last for some time lasts long enough at once."""
    monkeypatch.setattr(health, "SILENT_APART", timedelta(milliseconds=100))
    monkeypatch.setattr(health, "PACE_APART", timedelta(milliseconds=100))


def state(world: World) -> str:
    with world.db.read() as tx:
        row = tx.get(PrimaryHealth, world.domain.id)
        return row.state if row else ""


def kinds(world: World) -> list[str]:
    with world.db.read() as tx:
        return list(tx.scalars(select(AuditEvent.kind).order_by(AuditEvent.seq)))


def put_off(world: World) -> bool:
    return all(item.attempts and item.state == "queued" for item in world.items())


@pytest.mark.parametrize("reply", ["452 4.3.1 Insufficient system resources", "554 5.7.1 go away"])
def test_mail_waits_for_a_server_that_turns_all_mail_away(world: World, reply: str) -> None:
    async def scenario() -> None:
        refuses = True

        def answer(line: str) -> str | None:
            return reply if refuses and line.startswith("MAIL") else None

        async with sink(answer=answer) as primary:
            world.point_primary_to(primary.port)
            async with world.delivering(probe_suspect=0.1, probe_down=0.1):
                await until(lambda: state(world) == "refusing")
                world.receive("bob@ours.example")
                await until(lambda: put_off(world))  # also with a 5xx: it is the server's trouble
                refuses = False
                await until(lambda: world.states() == ["delivered"])
                await until(lambda: state(world) == "up")
            assert len(primary.taken) == 1
        assert kinds(world) == ["outage.started", "outage.ended"]

    asyncio.run(scenario())


def test_a_server_that_takes_connections_and_says_nothing_is_down(world: World) -> None:
    async def scenario() -> None:
        async with sink(silent=True) as primary:
            world.point_primary_to(primary.port)
            world.receive("bob@ours.example")
            patience = replace(world.config.timeouts, greeting=0.3, probe=0.3)
            async with world.delivering(probe_suspect=0.1, probe_down=0.1, timeouts=patience):
                await until(lambda: state(world) == "down")
                await until(lambda: put_off(world))
                primary.silent = False
                await until(lambda: world.states() == ["delivered"])
                await until(lambda: state(world) == "up")

    asyncio.run(scenario())


def test_a_slow_server_is_said_to_be_slow_and_gets_its_mail(world: World) -> None:
    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            async with world.delivering(prompt=0.0, probe_up=0.1):  # nobody is so prompt
                await until(lambda: state(world) == "slow")
                world.receive("bob@ours.example")
                await until(lambda: world.states() == ["delivered"])
                assert state(world) == "slow"
        assert kinds(world) == ["server.slow"]

    asyncio.run(scenario())


def test_a_server_that_denies_one_sender_is_asked_and_stays_up(world: World) -> None:
    def answer(line: str) -> str | None:
        return "550 5.7.1 not you" if line.startswith("MAIL FROM:<anna@") else None

    async def scenario() -> None:
        async with sink(answer=answer) as primary:
            world.point_primary_to(primary.port)
            async with world.delivering(probe_suspect=0.1, probe_up=3600):
                await until(lambda: "MAIL FROM:<>" in primary.lines)
                primary.lines.clear()
                world.receive("bob@ours.example")
                await until(lambda: "MAIL FROM:<>" in primary.lines)
                await until(lambda: "failed" in world.states())
                assert state(world) == "up"
        assert kinds(world) == []

    asyncio.run(scenario())


def test_mail_is_kept_back_until_an_outage_is_closed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_RELOAD", timedelta(0))
    monkeypatch.setattr(schedule, "RETRY_DELAYS", (timedelta(hours=1),))
    who = Actor.command_line("tester")

    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            with world.db.write() as tx:
                domain = tx.get_one(Domain, world.domain.id)
                outages.declare(tx, who, domain, "a test", utc_now(), keeps_mail=True)
            world.receive("bob@ours.example")
            async with world.delivering():
                await until(lambda: put_off(world))
                assert primary.taken == []
                with world.db.write() as tx:
                    domain = tx.get_one(Domain, world.domain.id)
                    outages.withdraw(tx, who, domain, "over", utc_now())
                await until(lambda: world.states() == ["delivered"])

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("250 2.1.0 Ok", Reached(Contact.ANSWERED)),
        ("530 5.7.0 Must issue a STARTTLS command first", Reached(Contact.ANSWERED)),
        ("452 4.3.1 no room", Reached(Contact.UNREADY, "it answers MAIL with 452")),
        ("554 5.7.1 nobody", Reached(Contact.UNREADY, "it answers MAIL with 554")),
        ("hang up", Reached(Contact.SILENT, "it greets, and then says no more")),
    ],
)
def test_a_probe_asks_whether_mail_would_be_taken_and_hands_none_over(
    reply: str, expected: Reached
) -> None:
    async def scenario() -> tuple[Reached, Sink]:
        async with sink(answer=lambda line: reply if line.startswith("MAIL") else None) as server:
            target = Target("127.0.0.1", server.port)
            return await Courier("live.example", Timeouts()).probe(target), server

    reached, server = asyncio.run(scenario())
    assert replace(reached, took=0.0) == expected
    assert [line.split()[0] for line in server.lines][:2] == ["EHLO", "MAIL"]
    assert not any(line.startswith("RCPT") for line in server.lines)
