"""The deliver role as a whole, against real sockets, on every database."""

import asyncio
from datetime import timedelta
from email import message_from_bytes

import pytest
from sqlalchemy import select

from app.delivery import attempt, queue, schedule, sealed, worker
from app.models import AuditEvent, PrimaryHealth, QueueItem
from archive_store.clock import utc_now
from archive_store.models import Message
from archive_store.sealing import queue_key
from tests.app.delivery.conftest import MAIL, World, until
from tests.app.delivery.sinks import Sink, sink


def test_mail_reaches_the_primary_with_one_received_line_on_top(world: World) -> None:
    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            world.receive("bob@ours.example")
            async with world.delivering():
                await until(primary.got(1))
                await until(lambda: world.states() == ["delivered"])
            [mail] = primary.taken
            assert mail.mail == f"MAIL FROM:<anna@outside.example> SIZE={len(mail.octets)}"
            assert mail.rcpt == ["RCPT TO:<bob@ours.example>"]
            assert mail.body == MAIL
            trace = mail.octets.removesuffix(MAIL).decode()
            assert trace.startswith(
                "Received: from mail.outside.example ([192.0.2.5])\r\n\tby live"
            )
            assert trace.count("\n") == 3

    asyncio.run(scenario())


def test_a_delivered_item_tells_when_and_what_the_server_said(world: World) -> None:
    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            world.receive("bob@ours.example")
            with world.db.read() as tx:
                [item] = world.items()
                key = world.keys.key(tx, item)
            async with world.delivering():
                await until(lambda: world.states() == ["delivered"])
        [item] = world.items()
        assert item.done_at is not None
        assert item.wrap == b""
        reply = sealed.open_reply(world.public.installation, item, queue_key(key))
        assert reply == "250 2.0.0 Ok: queued as SINK0"
        [line] = world.log_entries()
        assert (line.event, line.recipients) == ("handed-on", ("bob@ours.example",))
        assert line.detail == reply
        assert line.more["queue_id"] == "SINK0"

    asyncio.run(scenario())


def test_all_recipients_of_a_message_go_in_one_transaction(world: World) -> None:
    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            names = [f"p{number}@ours.example" for number in range(7)]
            world.receive(*names)
            async with world.delivering():
                await until(lambda: world.states() == ["delivered"] * 7)
            [mail] = primary.taken
            assert sorted(mail.rcpt) == [f"RCPT TO:<{name}>" for name in names]
            assert b"@ours.example" not in mail.octets.removesuffix(MAIL).replace(
                b"live.ours.example", b""
            )

    asyncio.run(scenario())


def test_an_outage_queues_and_its_end_delivers_each_mail_once_within_seconds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is put off would wait for an hour: only the end of the trouble can make it quick.
    monkeypatch.setattr(schedule, "RETRY_DELAYS", (timedelta(hours=1),))

    async def scenario() -> None:
        primary = Sink()
        world.point_primary_to(primary.port)
        for _ in range(5):
            world.receive("bob@ours.example")
        async with world.delivering():
            await until(lambda: _state(world) == "down")
            for _ in range(5):  # mail that comes in the middle of it
                world.receive("bob@ours.example")
            await until(lambda: all(i.attempts and i.state == "queued" for i in world.items()))
            await primary.start()
            await until(lambda: world.states() == ["delivered"] * 10)
            await until(lambda: _state(world) == "up")
        await primary.stop()
        assert len(primary.taken) == 10
        assert _audit(world) == ["outage.started", "outage.ended"]

    asyncio.run(scenario())


def test_one_recipient_of_many_is_refused_one_put_off_the_others_delivered(world: World) -> None:
    def answer(line: str) -> str | None:
        if line.startswith("RCPT TO:<gone@"):
            return "550 5.1.1 no such person"
        return "450 4.2.1 busy" if line.startswith("RCPT TO:<busy@") else None

    async def scenario() -> None:
        async with sink(answer=answer) as primary:
            world.point_primary_to(primary.port)
            world.receive("bob@ours.example", "gone@ours.example", "busy@ours.example")
            async with world.delivering():
                await until(lambda: "failed" in world.states())
                await until(lambda: len(world.log_entries()) >= 3)
            assert [mail.rcpt for mail in primary.taken] == [["RCPT TO:<bob@ours.example>"]]
        ours = [e for e in world.log_entries() if e.mail_from]
        events = {e.event: (e.recipients, e.detail) for e in ours}
        assert events["failed"] == (("gone@ours.example",), "550 5.1.1 no such person")
        assert events["deferred"] == (("busy@ours.example",), "450 4.2.1 busy")
        assert [i.state for i in world.items("primary")].count("delivered") == 1
        assert len(world.items("outgoing")) == 1  # the report

    asyncio.run(scenario())


def test_a_refused_mail_comes_back_to_our_own_sender_as_a_report(world: World) -> None:
    def answer(line: str) -> str | None:
        return "550 5.1.1 no such person" if line.startswith("RCPT TO:<gone@") else None

    async def scenario() -> None:
        async with sink(answer=answer) as primary, sink(answer=answer) as smarthost:
            world.point_primary_to(primary.port)
            world.set_smarthost(f"127.0.0.1:{smarthost.port}")
            world.add_person("vlad@ours.example")
            world.send("vlad@ours.example", "gone@outside.example", "there@outside.example")
            async with world.delivering():
                await until(lambda: len(world.mail_in("vlad@ours.example")) == 1)
                await until(primary.got(1))
                await until(lambda: world.states() == ["delivered", "delivered", "failed"])
            [sent] = smarthost.taken
            assert sent.octets == MAIL  # as it was composed: no line of ours
            [report] = world.mail_in("vlad@ours.example")
            assert primary.taken[0].body == report
            assert primary.taken[0].mail.startswith("MAIL FROM:<> ")
        parsed = message_from_bytes(report)
        assert parsed.get_content_type() == "multipart/report"
        assert parsed["To"] == "<vlad@ours.example>"
        assert b"gone@outside.example" in report
        assert b"there@outside.example" not in report
        assert b"Hello Bob" not in report

    asyncio.run(scenario())


def test_mail_to_the_outside_goes_on_when_the_smarthost_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "RETRY_DELAYS", (timedelta(hours=1),))
    monkeypatch.setattr(attempt, "_BACK_OFF", 0.01)

    async def scenario() -> None:
        smarthost = Sink()
        world.set_smarthost(f"127.0.0.1:{smarthost.port}")
        world.add_person("vlad@ours.example")
        world.send("vlad@ours.example", "a@outside.example")
        async with world.delivering():
            await until(lambda: world.items()[0].last_reply is not None)
            await smarthost.start()
            world.send("vlad@ours.example", "b@outside.example")
            await until(lambda: world.states() == ["delivered"] * 2)
        await smarthost.stop()

    asyncio.run(scenario())


def test_a_destination_that_does_not_answer_is_left_alone_for_a_while(world: World) -> None:
    async def scenario() -> None:
        async with sink(greeting="421 not now") as smarthost:
            world.set_smarthost(f"127.0.0.1:{smarthost.port}")
            world.add_person("vlad@ours.example")
            world.send("vlad@ours.example", "a@outside.example")
            async with world.delivering():
                await until(lambda: world.items()[0].last_reply is not None)
                for _ in range(5):
                    world.send("vlad@ours.example", "b@outside.example")
                await until(lambda: all(item.last_reply for item in world.items()))
            assert smarthost.sessions == 1

    asyncio.run(scenario())


def test_the_null_sender_is_never_told(world: World) -> None:
    async def scenario() -> None:
        async with sink(
            answer=lambda line: "550 no" if line.startswith("RCPT") else None
        ) as primary:
            world.point_primary_to(primary.port)
            world.receive("bob@ours.example", mail_from="")
            async with world.delivering():
                await until(lambda: world.states() == ["failed"])
        assert len(world.items()) == 1

    asyncio.run(scenario())


def test_mail_that_waited_too_long_expires_with_a_report(world: World) -> None:
    async def scenario() -> None:
        async with sink(answer=lambda line: "451 later" if line == "." else None) as primary:
            world.point_primary_to(primary.port)
            world.add_person("vlad@ours.example")
            world.receive("bob@ours.example", mail_from="vlad@ours.example")
            world.age(days=6.99)
            async with world.delivering():
                await until(
                    lambda: bool(world.items()[0].attempts) and world.states() == ["queued"]
                )
                assert world.mail_in("vlad@ours.example") == []
                world.age(days=0.02)
                world.make_due()
                await until(lambda: "failed" in world.states())
        [report] = world.mail_in("vlad@ours.example")
        assert b"Status: 5.4.7\r\n" in report
        assert "expired" in {entry.event for entry in world.log_entries()}

    asyncio.run(scenario())


def test_two_workers_never_deliver_the_same_item_twice(world: World) -> None:
    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            for number in range(60):
                world.receive(f"p{number}@ours.example", f"q{number}@ours.example")
            async with world.delivering(), world.delivering():
                await until(lambda: world.states() == ["delivered"] * 120)
            delivered = [line for mail in primary.taken for line in mail.rcpt]
            assert len(delivered) == len(set(delivered)) == 120
            assert primary.most_at_once <= 10

    asyncio.run(scenario())


def test_mail_of_a_killed_worker_is_delivered_after_its_lease(world: World) -> None:
    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            world.receive("bob@ours.example")
            with world.db.write() as tx:  # claimed on another machine, which then died
                lease = world.config.lease / 40
                assert len(queue.claim(tx, utc_now(), "elsewhere", 10, lease)) == 1
            async with world.delivering():
                await until(lambda: world.states() == ["delivered"])
            assert len(primary.taken) == 1
        assert world.items()[0].attempts == 2

    asyncio.run(scenario())


def test_while_the_keys_role_is_away_mail_waits_and_nothing_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_KEYS_AWAY", timedelta(seconds=0.1))
    monkeypatch.setattr(worker, "_TROUBLE", 0.1)

    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            world.keys.away = True
            world.receive("bob@ours.example")
            async with world.delivering():
                await until(lambda: world.keys.asked >= 2)
                assert world.items()[0].state in ("queued", "leased")
                assert primary.taken == []
                world.keys.away = False
                await until(lambda: world.states() == ["delivered"])
        assert world.items()[0].attempts == 1  # nothing was tried before

    asyncio.run(scenario())


def test_stopping_finishes_the_delivery_in_hand_and_gives_back_the_rest(world: World) -> None:
    async def scenario() -> None:
        async with sink(data_delay=0.5) as primary:
            world.point_primary_to(primary.port)
            for _ in range(12):
                world.receive("bob@ours.example")
            async with world.delivering(sessions=2):
                await until(lambda: primary.at_once == 2)
        taken = len(primary.taken)
        assert taken in (2, 3, 4)
        assert world.states() == sorted(["delivered"] * taken + ["queued"] * (12 - taken))
        assert all(item.lease_owner == "" for item in world.items())

    asyncio.run(scenario())


def test_a_destination_gets_few_sessions_and_reuses_them(world: World) -> None:
    async def scenario() -> None:
        async with sink(data_delay=0.02) as primary:
            world.point_primary_to(primary.port)
            for _ in range(40):
                world.receive("bob@ours.example")
            async with world.delivering(probe_up=3600):
                await until(lambda: world.states() == ["delivered"] * 40)
            assert primary.most_at_once <= 5
            assert primary.sessions < 20

    asyncio.run(scenario())


def test_a_saturated_destination_does_not_keep_back_another(world: World) -> None:
    async def scenario() -> None:
        async with sink(data_delay=30) as slow, sink() as quick:
            world.point_primary_to(slow.port)
            other = world.add_domain("other.example", port=quick.port)
            for _ in range(30):
                world.receive("bob@ours.example")
            stop = asyncio.Event()
            running = asyncio.create_task(world.worker().run(stop))
            await until(lambda: slow.at_once == 5)
            world.receive("eve@other.example", domain=other)
            await until(quick.got(1))
            stop.set()
            await slow.stop()
            await running
        assert "delivered" in world.states()

    asyncio.run(scenario())


def test_mail_whose_octets_are_damaged_fails_and_the_others_go_on(world: World) -> None:
    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            stored = world.receive("bob@ours.example", mail_from="anna@ours.example")
            world.receive("eve@ours.example")
            with world.db.read() as tx:
                message = tx.get_one(Message, stored.message_id)
            path = next(world.folder.rglob(message.segment))
            octets = bytearray(path.read_bytes())
            octets[message.frame_offset + message.frame_length - 5] ^= 1
            path.write_bytes(octets)
            async with world.delivering():
                await until(lambda: "failed" in world.states())
                await until(lambda: world.states().count("delivered") == 2)
        # eve's mail, and the report to our own sender, who has no mailbox here
        assert sorted(len(mail.rcpt) for mail in primary.taken) == [1, 1]
        assert any(b"damaged" in mail.octets for mail in primary.taken)

    asyncio.run(scenario())


def _state(world: World) -> str:
    with world.db.read() as tx:
        row = tx.get(PrimaryHealth, world.domain.id)
        return row.state if row else ""


def _audit(world: World) -> list[str]:
    with world.db.read() as tx:
        query = select(AuditEvent.kind).where(AuditEvent.trail == world.domain.id)
        return list(tx.scalars(query.order_by(AuditEvent.seq)))


def test_nothing_of_a_mail_is_in_clear_in_the_queue(world: World) -> None:
    world.receive("secretperson@ours.example", mail_from="hiddensender@outside.example")
    with world.db.read() as tx:
        rows = list(tx.scalars(select(QueueItem)))
    for row in rows:
        clear = b"".join(v for v in vars(row).values() if isinstance(v, bytes))
        assert b"secretperson" not in clear
        assert b"hiddensender" not in clear


def test_a_hiccup_that_is_no_outage_delays_mail_by_seconds_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is put off would wait for an hour: only the end of the trouble can make it quick.
    monkeypatch.setattr(schedule, "RETRY_DELAYS", (timedelta(hours=1),))

    async def scenario() -> None:
        primary = Sink()
        world.point_primary_to(primary.port)
        async with world.delivering(probe_suspect=0.1, probe_up=3600):
            world.receive("bob@ours.example")
            await until(lambda: world.items()[0].last_reply is not None)
            await primary.start()
            await until(lambda: world.states() == ["delivered"])
        await primary.stop()

    asyncio.run(scenario())
