"""Pictures from outside, fetched once for all who ask."""

import asyncio
import io
import ssl
from collections.abc import Iterator

import pytest
from PIL import Image

from app.pictures import remote
from app.pictures.easel import Easel
from app.pictures.fetch import Fetcher, Stream
from app.pictures.remote import FAILURE_KEPT_SECONDS, KEPT_SECONDS, RemotePictures
from tests.app.pictures.pictures_server import Strangers, answer

VLAD, MARIA = b"v" * 16, b"m" * 16


def png(colour: str = "red") -> bytes:
    octets = io.BytesIO()
    Image.new("RGB", (8, 4), colour).save(octets, "PNG")
    return octets.getvalue()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def easel() -> Iterator[Easel]:
    made = Easel()
    yield made
    made.close()


def pictures_of(strangers: Strangers, easel: Easel, clock: Clock) -> RemotePictures:
    return RemotePictures(Fetcher(strangers.connect, ssl.create_default_context()), easel, clock)


def test_many_readers_make_one_request_in_ten_minutes(easel: Easel) -> None:
    strangers = Strangers({"pics.example/a": answer(png())})
    clock = Clock()

    async def run() -> None:
        pictures = pictures_of(strangers, easel, clock)
        async with strangers.serving():
            url = "http://pics.example/a"
            found = await asyncio.gather(*(pictures.picture(url, VLAD) for _ in range(20)))
            assert {one.media_type for one in found if one} == {"image/png"}
            assert len(found) == 20
            assert None not in found
            clock.now += KEPT_SECONDS - 1
            assert await pictures.picture(url, VLAD) == found[0]
            assert len(strangers.requests) == 1
            clock.now += 2
            assert await pictures.picture(url, VLAD) == found[0]
            assert len(strangers.requests) == 2

    asyncio.run(run())


def test_what_is_not_there_is_not_asked_for_again_and_again(easel: Easel) -> None:
    strangers = Strangers({"pics.example/text": answer(b"no picture at all")})
    clock = Clock()

    async def run() -> None:
        pictures = pictures_of(strangers, easel, clock)
        async with strangers.serving():
            for url in ("http://pics.example/gone", "http://pics.example/text"):
                for _ in range(3):
                    assert await pictures.picture(url, VLAD) is None
            assert len(strangers.requests) == 2
            clock.now += FAILURE_KEPT_SECONDS + 1
            strangers.answers["pics.example/gone"] = answer(png())
            assert await pictures.picture("http://pics.example/gone", VLAD) is not None

    asyncio.run(run())


def test_memory_is_bounded_and_the_oldest_goes_first(
    easel: Easel, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers = Strangers({f"pics.example/{n}": answer(png()) for n in range(4)})
    monkeypatch.setattr(remote, "MOST_OCTETS_KEPT", 3 * (remote.FAILURE_OCTETS + 200))

    async def run() -> None:
        pictures = pictures_of(strangers, easel, Clock())
        async with strangers.serving():
            for n in (0, 1, 2, 3, 3, 2, 1, 0):
                assert await pictures.picture(f"http://pics.example/{n}", VLAD) is not None

    asyncio.run(run())
    assert [head.split()[1] for head in strangers.requests] == ["/0", "/1", "/2", "/3", "/0"]


def test_a_reader_who_leaves_ends_it_for_nobody(easel: Easel) -> None:
    strangers = Strangers({"pics.example/a": answer(png())})

    async def run() -> None:
        pictures = pictures_of(strangers, easel, Clock())
        async with strangers.serving():
            first = asyncio.create_task(pictures.picture("http://pics.example/a", VLAD))
            second = asyncio.create_task(pictures.picture("http://pics.example/a", VLAD))
            await asyncio.sleep(0)  # both have asked
            first.cancel()
            assert await second is not None

    asyncio.run(run())
    assert len(strangers.requests) == 1


def test_a_mail_full_of_pictures_of_a_slow_server_delays_nobody_elses(easel: Easel) -> None:
    strangers = Strangers({"pics.example/a": answer(png())})

    async def run() -> None:
        asked, never = asyncio.Semaphore(0), asyncio.Event()

        async def connect(host: str, port: int, tls: ssl.SSLContext | None) -> Stream:
            if host == "slow.example":
                asked.release()
                await never.wait()
            return await strangers.connect(host, port, tls)

        pictures = RemotePictures(Fetcher(connect, ssl.create_default_context()), easel)
        async with strangers.serving():
            slow = [
                asyncio.create_task(pictures.picture(f"http://slow.example/{n}", VLAD))
                for n in range(2 * remote.AT_ONCE)
            ]
            for _ in range(remote.AT_ONCE_OF_ONE):
                await asked.acquire()
            assert await pictures.picture("http://pics.example/a", MARIA) is not None
            assert not any(one.done() for one in slow)
            assert asked.locked()
            for one in slow:
                one.cancel()

    asyncio.run(run())
