"""The process that stores mail, as the door works with it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from sqlalchemy import func, select

from app.models import QueueItem
from app.writer_client import WriterClient
from archive_store import ids
from archive_store.envelope import Envelope
from archive_store.errors import StoreError, WriteFailed
from archive_store.ids import new_id
from archive_store.maillog import LogEntry
from archive_store.models import Entry, MaillogLine
from archive_store.sealing import Copy, Incoming, Relay
from tests.app.conftest import World

Result = TypeVar("Result")


def mail(world: World, octets: bytes = b"Subject: x\r\n\r\nbody\r\n") -> list[Incoming]:
    box = world.mailbox("vlad@acme.example")
    envelope = Envelope("a@b.example", "vlad@acme.example")
    return [
        Incoming(
            box.tenant_id,
            octets,
            datetime.now(UTC),
            (Copy(box.id, envelope),),
            (Relay("primary", envelope, mailbox_id=box.id),),
            LogEntry("received", "a@b.example", ("vlad@acme.example",)),
        )
    ]


def with_writer(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[[WriterClient], Awaitable[Result]],
) -> Result:
    """Run `work` with a writer's process over the installation."""
    monkeypatch.setenv("LIVEARCHIVE_DATA_DIR", str(world.folder))

    async def run() -> Result:
        writer = await WriterClient.start()
        try:
            return await work(writer)
        finally:
            await writer.aclose()

    return asyncio.run(run())


def counts(world: World) -> list[int]:
    with world.db.read() as tx:
        return [
            tx.scalars(select(func.count()).select_from(table)).one()
            for table in (Entry, QueueItem, MaillogLine)
        ]


def test_a_mail_that_is_done_is_in_mailbox_queue_and_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n" * 1_000_000

    async def store(writer: WriterClient) -> None:
        await writer.submit(mail(world, large))
        assert counts(world) == [1, 1, 1]

    with_writer(world, monkeypatch, store)
    with world.db.read() as tx:
        entry = tx.scalars(select(Entry)).one()
    assert world.reading.original(world.viewer(), ids.show(entry.id)) == large


def test_many_at_once_are_stored_each(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = mail(world)

    async def store(writer: WriterClient) -> None:
        await asyncio.gather(*(writer.submit(unit) for _ in range(300)))

    with_writer(world, monkeypatch, store)
    assert counts(world) == [300, 300, 300]


def test_a_unit_that_cannot_be_stored_fails_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = mail(world)
    nobody = Copy(new_id(), Envelope("a@b.example", "nobody@acme.example"))
    bad = [Incoming(good[0].tenant_id, b"x", good[0].received_at, (nobody,))]

    async def store(writer: WriterClient) -> list[BaseException | None]:
        waiting = [writer.submit(unit) for unit in (good, bad, good)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, second, third = with_writer(world, monkeypatch, store)
    assert (first, third) == (None, None)
    assert isinstance(second, StoreError)
    assert second.transient
    assert counts(world) == [2, 2, 2]


def test_when_the_writer_is_killed_what_it_had_fails_and_so_does_what_follows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def kill(writer: WriterClient) -> None:
        writer._process.kill()
        await asyncio.wait_for(writer.ended.wait(), 20)
        with pytest.raises(WriteFailed):
            await writer.submit(mail(world))

    async def kill_with_mail_in_hand(writer: WriterClient) -> None:
        waiting = [writer.submit(mail(world)) for _ in range(50)]
        writer._process.kill()
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(done[-1], WriteFailed)

    with_writer(world, monkeypatch, kill)
    with_writer(world, monkeypatch, kill_with_mail_in_hand)


def test_a_writer_that_cannot_start_ends_the_role_with_its_status(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (world.config.keys_dir / "receipt-ingest.key").unlink()
    with pytest.raises(SystemExit) as ended:
        with_writer(world, monkeypatch, lambda _: asyncio.sleep(0))
    assert ended.value.code == 3
    [line] = capfd.readouterr().err.splitlines()
    assert "receipt-ingest.key" in line
