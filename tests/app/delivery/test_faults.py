"""What breaks while mail is being delivered, and what must not be lost by it."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.delivery import worker
from app.delivery.ledger import Ledger
from app.delivery.watch import PrimaryWatch
from archive_store.errors import StoreBusy
from tests.app.delivery.conftest import MAIL, World, until
from tests.app.delivery.sinks import sink
from tests.parts.postfix import Postfix, Route

ROOT = Path(__file__).parents[3]


def test_after_kill_9_the_next_worker_delivers_without_waiting_for_the_lease(world: World) -> None:
    world.public.save(world.folder)
    (world.folder / "keyring.json").write_bytes(world.keyring.to_json())
    url = world.db.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.app.delivery.kill_child", url, str(world.folder)]

    async def scenario() -> None:
        async with sink(data_delay=600) as primary:
            world.point_primary_to(primary.port)
            for _ in range(8):
                world.receive("bob@ours.example")
            child = await asyncio.to_thread(subprocess.Popen, command, cwd=ROOT)
            await until(lambda: primary.at_once >= 3)
            child.send_signal(signal.SIGKILL)
            await asyncio.to_thread(child.wait)
            assert set(world.states()) == {"leased"}
            primary.data_delay = 0  # the sessions of the dead end with it
            async with world.delivering():
                await until(lambda: world.states() == ["delivered"] * 8)
            assert len(primary.taken) == 8

    asyncio.run(scenario())


def test_a_result_that_cannot_be_written_is_kept_and_not_delivered_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = Ledger.write, iter(range(2))

    def busy_at_first(self: Ledger, *arguments: object) -> None:
        if next(failures, None) is not None:
            raise StoreBusy("locked")
        real(self, *arguments)  # type: ignore[arg-type]  # passed on as they come

    monkeypatch.setattr(Ledger, "write", busy_at_first)
    monkeypatch.setattr(worker, "_TROUBLE", 0.1)

    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            world.receive("bob@ours.example")
            async with world.delivering():
                await until(lambda: world.states() == ["delivered"])
            assert len(primary.taken) == 1

    asyncio.run(scenario())


def test_results_are_written_before_the_worker_ends_however_slow_that_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = Ledger.write, iter(range(3))

    def slow(self: Ledger, *arguments: object) -> None:
        time.sleep(0.2)
        if next(failures, None) is not None:
            raise StoreBusy("locked")
        real(self, *arguments)  # type: ignore[arg-type]  # passed on as they come

    monkeypatch.setattr(Ledger, "write", slow)
    monkeypatch.setattr(worker, "_TROUBLE", 0.01)

    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            world.receive("bob@ours.example")
            async with world.delivering():
                await until(primary.got(1))
        assert world.states() == ["delivered"]

    asyncio.run(scenario())


def test_a_report_that_cannot_be_stored_puts_the_failure_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = world.archive.submit, iter(range(1))

    def full_at_first(mails: object) -> object:
        if next(failures, None) is not None:
            raise StoreBusy("no room")
        return real(mails)  # type: ignore[arg-type]  # passed on as they come

    async def scenario() -> None:
        async with sink(answer=lambda line: "550 no" if line == "." else None) as primary:
            world.point_primary_to(primary.port)
            world.add_person("vlad@ours.example")
            world.receive("bob@ours.example", mail_from="vlad@ours.example")
            monkeypatch.setattr(world.archive, "submit", full_at_first)
            async with world.delivering():
                await until(lambda: bool(world.log_entries()))
                assert world.states() == ["queued"]
                world.make_due()
                await until(lambda: "failed" in world.states())
        assert len(world.mail_in("vlad@ours.example")) == 1

    asyncio.run(scenario())


def test_an_error_of_our_own_puts_the_mail_off_and_the_role_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> bytes:
        raise RuntimeError("bob@ours.example")

    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            world.receive("bob@ours.example")
            with monkeypatch.context() as patch:
                patch.setattr("app.delivery.attempt.received_line", broken)
                async with world.delivering():
                    await until(lambda: world.items()[0].last_reply is not None)
            assert world.states() == ["queued"]
            world.make_due()
            async with world.delivering():
                await until(lambda: world.states() == ["delivered"])

    asyncio.run(scenario())
    assert "RuntimeError" in caplog.text
    assert "bob@" not in caplog.text


def test_a_broken_part_takes_the_role_down_instead_of_hanging_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(PrimaryWatch, "run", broken)
    with pytest.raises(RuntimeError, match="broken"):
        asyncio.run(world.worker().run(asyncio.Event()))


def test_mail_whose_key_is_gone_fails_and_says_so(world: World) -> None:
    async def scenario() -> None:
        async with sink() as primary:
            world.point_primary_to(primary.port)
            world.receive("bob@ours.example")
            world.keyring.days["mailbag"].clear()
            world.keys.open_queue = lambda item_ids: {}  # type: ignore[method-assign]  # no key opens
            async with world.delivering():
                await until(lambda: world.states() == ["failed"])
            assert primary.taken == []
        assert [entry.event for entry in world.log_entries()] == ["failed"]

    asyncio.run(scenario())


def test_a_real_postfix_as_primary_goes_away_and_comes_back(
    world: World, start_postfix: Callable[..., Postfix]
) -> None:
    head = b"Date: Tue, 24 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@outside.example>\r\n"
    octets = head + MAIL + b".dot\r\n..\r\n\xc3\xbc\r\n\r\n" + b"x" * 900 + b"\r\n"

    async def scenario() -> None:
        async with sink() as beyond:
            postfix = start_postfix(Route("ours.example", beyond.port))
            world.point_primary_to(postfix.port)
            async with world.delivering():
                world.receive("bob@ours.example", "eve@ours.example", octets=octets)
                await until(lambda: world.states() == ["delivered"] * 2)
                await asyncio.to_thread(postfix.stop)
                world.receive("bob@ours.example", octets=octets)
                await until(lambda: "deferred" in {line.event for line in world.log_entries()})
                await asyncio.to_thread(postfix.start)
                await until(lambda: world.states() == ["delivered"] * 3)
                await until(beyond.got(2))
            assert sorted(len(mail.rcpt) for mail in beyond.taken) == [1, 2]
            for mail in beyond.taken:
                assert mail.octets.endswith(octets)
                traces = mail.octets.removesuffix(octets)
                assert traces.count(b"Received: from") == 2  # ours, and that of Postfix on top

    asyncio.run(scenario())
    assert {entry.more.get("queue_id", "") != "" for entry in world.log_entries()} == {True, False}
