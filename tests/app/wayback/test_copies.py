"""What people send lies in their Sent folder on the primary, once, with a real Dovecot."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.delivery import queue
from app.delivery.sealed import open_reply
from app.models import AuditEvent
from app.wayback.logins import REFUSALS
from app.wayback.mark import Marks
from archive_store.address import EmailAddress
from archive_store.sealing import queue_key
from tests.app.delivery.conftest import World, until
from tests.app.delivery.sinks import sink
from tests.app.wayback.conftest import access_of, give_imap, proxy, sent_by
from tests.parts.dovecot import FULL, Dovecot

ROOT = Path(__file__).parents[3]
STEPS = ("before the log-in", "in the mail", "after the append")
ROUNDS = int(os.environ.get("LIVEARCHIVE_KILLS", "1"))


def replies(world: World) -> list[str]:
    with world.db.read() as tx:
        return [
            open_reply(world.public.installation, item, queue_key(world.keys.key(tx, item)))
            for item in world.items("sent")
        ]


def test_a_copy_lies_in_sent_with_the_time_of_its_sending(world: World, dovecot: Dovecot) -> None:
    give_imap(world, dovecot.imap_port)
    octets = sent_by(world, "anna@ours.example")
    dovecot.make("berta@ours.example", "Gesendet")  # its \\Sent
    also = sent_by(world, "berta@ours.example")

    async def scenario() -> None:
        async with world.delivering():
            await until(lambda: world.states() == ["delivered"] * 2)

    asyncio.run(scenario())
    [(facts, stored)] = dovecot.folder("anna@ours.example", "Sent")
    at = world.items("sent")[0].queued_at
    assert stored == octets
    assert r"\Seen" in facts
    assert at.strftime("%d-%b-%Y %H:%M:%S +0000") in facts
    assert [stored for _, stored in dovecot.folder("berta@ours.example", "Gesendet")] == [also]
    assert dovecot.folder("berta@ours.example", "Sent") == []


@pytest.mark.parametrize("number", range(ROUNDS))
def test_after_kill_9_at_every_step_it_is_there_once(
    world: World, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(queue, "SETTLED", timedelta(seconds=1))
    world.public.save(world.folder)
    (world.folder / "keyring.json").write_bytes(world.keyring.to_json())
    url = world.db.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.app.delivery.kill_child", url, str(world.folder)]
    people = [f"killed{number}-{at}@ours.example" for at in range(len(STEPS) + 1)]
    sent = {one: sent_by(world, one) for one in people}

    async def scenario() -> None:
        # One gets through first: until then there is no second session at the same time.
        async with proxy(dovecot.imap_port, "", *STEPS) as between:
            give_imap(world, between.port)
            child = await asyncio.to_thread(subprocess.Popen, command, cwd=ROOT)
            await until(lambda: between.stalled == len(STEPS), 100)
            child.send_signal(signal.SIGKILL)
            await asyncio.to_thread(child.wait)
            assert sorted(world.states()) == ["delivered"] + ["leased"] * len(STEPS)
            async with world.delivering():
                await until(lambda: world.states() == ["delivered"] * len(people))

    asyncio.run(scenario())
    for one in people:
        assert [stored for _, stored in dovecot.folder(one, "Sent")] == [sent[one]]


def test_a_wrong_password_is_tried_a_few_times_and_somebody_is_told(
    world: World, dovecot: Dovecot
) -> None:
    for number in range(6):
        sent_by(world, f"clara{number}@ours.example")

    async def scenario() -> None:
        async with proxy(dovecot.imap_port) as between:
            give_imap(world, between.port, password="wrong")
            async with world.delivering():  # many at once: the first refusals stop the others
                await until(lambda: all(item.last_reply for item in world.items("sent")))
                assert between.sessions == REFUSALS
                assert access_of(world).rests_until is not None
                with world.db.read() as tx:
                    alarms = select(AuditEvent).where(AuditEvent.kind == "imap.refused")
                    assert len(tx.scalars(alarms).all()) == 1
            give_imap(world, between.port)
            world.make_due()
            async with world.delivering():
                await until(lambda: world.states() == ["delivered"] * 6)

    asyncio.run(scenario())
    assert len(dovecot.folder("clara0@ours.example", "Sent")) == 1


def test_what_has_no_room_or_no_answer_waits_and_nobody_gets_a_report(
    world: World, dovecot: Dovecot
) -> None:
    sent_by(world, FULL)

    async def scenario(why: str) -> None:
        async with world.delivering():
            await until(lambda: bool(world.items("sent")[0].last_reply))
        assert why in replies(world)[0]
        assert [item.kind for item in world.items()] == ["sent"]

    give_imap(world, dovecot.imap_port)
    asyncio.run(scenario("4.2.2 The Sent folder cannot be reached: the mailbox has no room"))


def test_a_password_that_login_cannot_say_is_refused_and_not_stumbled_over(
    world: World, dovecot: Dovecot
) -> None:
    give_imap(world, dovecot.imap_port, password="pässword", login="star")
    sent_by(world, "gerda@ours.example")

    async def scenario() -> None:
        async with world.delivering():
            await until(lambda: bool(world.items("sent")[0].last_reply))

    asyncio.run(scenario())
    assert "4.7.8" in replies(world)[0]
    assert access_of(world).refusals == 1


def test_a_server_that_hangs_or_shows_another_certificate_is_left_and_tried_again(
    world: World, dovecot: Dovecot
) -> None:
    world.imap_timeout = 1.0
    sent_by(world, "dora@ours.example")

    async def scenario() -> None:
        async with proxy(dovecot.imap_port, "before the log-in") as between:
            for port, tls, why in (
                (between.port, "none", "it said nothing for too long"),
                (dovecot.imaps_port, "implicit", "its certificate is not valid for its name"),
            ):
                give_imap(world, port, tls=tls)
                with world.db.write() as tx:
                    tx.merge(world.items("sent")[0]).last_reply = None
                world.make_due()
                async with world.delivering():
                    await until(lambda: bool(world.items("sent")[0].last_reply))
                assert replies(world)[0].endswith(why)

    asyncio.run(scenario())
    assert dovecot.folder("dora@ours.example", "Sent") == []


@pytest.mark.parametrize("begins", [b"* OK ", b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n* "])
def test_a_server_that_drips_is_cut_off_and_keeps_nobody_else_waiting(
    world: World, begins: bytes
) -> None:
    world.imap_limit = 0.3
    for number in range(3):
        sent_by(world, f"ines{number}@ours.example")
    busy, most = 0, 0

    async def drip(_: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        with contextlib.suppress(ConnectionError):
            back.write(begins)
            while True:
                back.write(b"x")
                await back.drain()
                await asyncio.sleep(0.01)
        back.close()
        busy -= 1

    async def scenario() -> None:
        server = await asyncio.start_server(drip, "127.0.0.1", 0)
        give_imap(world, server.sockets[0].getsockname()[1])
        async with world.delivering():
            await until(lambda: all(item.last_reply for item in world.items("sent")))
        server.close()
        await until(lambda: busy == 0)

    asyncio.run(scenario())
    assert most == 1, "until it has let us in there is one session"
    assert any(reply.endswith("it took too long") for reply in replies(world))
    assert access_of(world).refusals == 0


def test_a_server_that_hangs_up_at_the_log_in_has_refused_nobody(world: World) -> None:
    sent_by(world, "jan@ours.example")

    async def leave(asked: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        back.write(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello\r\n")
        while (line := await asked.readline()) and b"AUTHENTICATE" not in line:
            back.write(line.split()[0] + b" OK done\r\n")
        back.close()

    async def scenario() -> None:
        server = await asyncio.start_server(leave, "127.0.0.1", 0)
        give_imap(world, server.sockets[0].getsockname()[1])
        async with world.delivering():
            await until(lambda: bool(world.items("sent")[0].last_reply))
        server.close()

    asyncio.run(scenario())
    assert replies(world)[0].endswith("the connection failed at the log-in")
    assert access_of(world).refusals == 0


def test_without_imap_a_marked_copy_goes_to_the_own_mailbox_by_smtp(world: World) -> None:
    octets = sent_by(world, "emil@ours.example")

    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            async with world.delivering():
                await until(lambda: world.states() == ["delivered"])
        [taken] = primary.taken
        assert taken.mail.startswith("MAIL FROM:<>")
        assert taken.rcpt == ["RCPT TO:<emil@ours.example>"]
        assert taken.octets.endswith(octets)
        assert b"\r\nAuto-Submitted: auto-generated\r\n" in taken.octets
        marks = Marks(world.public)
        emil = EmailAddress.parse("emil@ours.example")
        relayed = b"Received: by mx\r\n" + taken.octets
        assert marks.owner(relayed, [emil]) == emil
        assert marks.owner(relayed, [EmailAddress.parse("eva@ours.example")]) is None
        assert marks.owner(relayed + b"and more\r\n", [emil]) is None
        assert marks.owner(octets, [emil]) is None

    asyncio.run(scenario())
