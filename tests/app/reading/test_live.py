"""Pages hear of changes in their own mailbox, whoever made them, and of their session's end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from app.accounts import sessions
from app.reading import live
from app.reading.live import Live
from app.viewer import Viewer
from app.views import News
from archive_store.db import Database
from archive_store.errors import NotFound
from tests.app.conftest import World
from tests.app.reading.mail import PLAIN

SOON = timedelta(milliseconds=20)
A_WHILE = timedelta(seconds=60)  # of QUIET, so that no test waits for it
LIMIT = 30.0


class Ear:
    """What one page hears, one word after the other."""

    def __init__(self, words: AsyncGenerator[News]) -> None:
        self._words = words

    async def next(self) -> News:
        return await asyncio.wait_for(anext(self._words), LIMIT)


@asynccontextmanager
async def listening(service: Live, *viewers: Viewer) -> AsyncIterator[list[Ear]]:
    streams = [service.listen(viewer) for viewer in viewers]
    ears = [Ear(stream) for stream in streams]
    for ear in ears:
        assert await ear.next() is News.QUIET
    with service.running(asyncio.Event()):
        yield ears
    for stream in streams:
        await stream.aclose()


def hub(world: World, db: Database | None = None) -> Live:
    return Live(db or world.db, world.clock, interval=SOON, patience=A_WHILE)


async def do(deed: Callable[[], object]) -> None:
    await asyncio.to_thread(deed)


def log_out(world: World, viewer: Viewer) -> None:
    with world.db.write() as tx:
        sessions.revoke_all(tx, viewer.user.id, world.clock())


def test_a_page_hears_of_its_own_mailbox_alone(any_world: World) -> None:
    world = any_world
    vlad, maria = world.viewer(), world.viewer("maria")

    async def play() -> None:
        async with listening(hub(world), vlad, vlad, maria) as (one, two, hers):
            await do(lambda: world.receive(PLAIN, "vlad@acme.example"))
            assert await one.next() is News.CHANGED
            assert await two.next() is News.CHANGED
            await do(lambda: world.receive(PLAIN, "maria@acme.example"))
            assert await hers.next() is News.CHANGED
            # Whatever else a page heard would have come before the end of its session.
            await do(lambda: log_out(world, vlad))
            assert await one.next() is News.ENDED
            with pytest.raises(StopAsyncIteration):
                await one.next()

    asyncio.run(play())


def test_another_process_hears_the_same(any_world: World) -> None:
    world = any_world
    elsewhere = Database(world.config.database)

    async def play() -> None:
        here, there = hub(world), hub(world, elsewhere)
        async with (
            listening(here, world.viewer()) as (one,),
            listening(there, world.viewer()) as (two,),
        ):
            [entry_id] = await asyncio.to_thread(world.receive, PLAIN)
            for ear in (one, two):
                assert await ear.next() is News.CHANGED
            deeds: list[Callable[[], object]] = [
                world.index,
                lambda: world.reading.mark(world.viewer(), [entry_id], seen=True),
                lambda: world.reading.move(world.viewer(), [entry_id], "trash"),
                lambda: world.reading.delete(world.viewer(), [entry_id]),
            ]
            for deed in deeds:
                await do(deed)
                for ear in (one, two):
                    assert await ear.next() is News.CHANGED

    try:
        asyncio.run(play())
    finally:
        elsewhere.close()


def test_a_thousand_pages_cost_one_look(world: World) -> None:
    vlad = world.viewer()
    viewers = [replace(vlad, session_id=bytes([n % 256, n // 256])) for n in range(1000)]
    asked: list[str] = []
    engine = world.db.engine
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    async def play() -> None:
        service = hub(world)
        streams = [service.listen(viewer) for viewer in viewers]
        for stream in streams:
            assert await anext(stream) is News.QUIET
        for _ in range(2):  # of an empty archive more is asked
            await do(lambda: world.receive(PLAIN))
            asked.clear()
            await service.look()
        assert len([text for text in asked if "FROM entry" in text]) == 1
        for stream in streams:
            assert await asyncio.wait_for(anext(stream), LIMIT) is News.CHANGED
            await stream.aclose()

    asyncio.run(play())


def test_a_page_too_many_is_not_heard(world: World) -> None:
    viewer, other = world.viewer(), world.viewer()

    async def play() -> None:
        service = hub(world)
        streams = [service.listen(viewer) for _ in range(live.MOST_PAGES)]
        for stream in streams:
            assert service.has_room(viewer)
            await anext(stream)
        assert not service.has_room(viewer)
        assert service.has_room(other)
        await streams[0].aclose()
        assert service.has_room(viewer)

    asyncio.run(play())


def test_a_process_that_stops_ends_its_streams(world: World) -> None:
    async def play() -> None:
        service, stop = hub(world), asyncio.Event()
        stream = service.listen(world.viewer())
        with service.running(stop):
            assert await anext(stream) is News.QUIET
            stop.set()
            with pytest.raises(StopAsyncIteration):
                await asyncio.wait_for(anext(stream), LIMIT)

    asyncio.run(play())


def test_who_has_no_mailbox_has_nothing_to_hear(world: World) -> None:
    async def play() -> None:
        with pytest.raises(NotFound):
            await anext(hub(world).listen(world.viewer("provider")))

    asyncio.run(play())
