"""Pictures from outside in a real browser, by the real proxy, from a server on this machine."""

import asyncio
import io
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from PIL import Image
from playwright.sync_api import Page, expect

from app.pictures.easel import Easel
from app.pictures.fetch import Fetcher, Stream
from app.pictures.remote import RemotePictures
from tests.app.pictures.pictures_server import Strangers, answer
from tests.app.web import sample
from tests.app.web.double import World
from tests.browser.site import running

HTML = """<p>Seen?</p><img src="https://pics.example/harbour.png" alt="The harbour">
<img src="https://pics.example/gone.png" alt="Gone" width="96" height="64">
<img srcset="https://pics.example/set.png 2x">
<div style="background: url(https://pics.example/css.png)">x</div>"""


@contextmanager
def serving(strangers: Strangers) -> Iterator[None]:
    """The stranger's server, in a loop of its own; it speaks plain HTTP whatever is asked for."""
    loop = asyncio.new_event_loop()
    started, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with strangers.serving():
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(60)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def picture() -> bytes:
    octets = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(octets, "JPEG")
    return octets.getvalue()


def test_pictures_are_shown_when_asked_for(new_page: Callable[..., Page]) -> None:
    strangers = Strangers({"pics.example/harbour.png": answer(picture(), kind="image/jpeg")})

    async def connect(host: str, port: int, tls: ssl.SSLContext | None) -> Stream:
        return await strangers.connect(host, port, None)

    easel = Easel()
    pictures = RemotePictures(Fetcher(connect, ssl.create_default_context()), easel)
    world = World(pictures=pictures)
    place = world.reading.place_of(sample.entry_id(2))
    letter = world.reading.letters[place]
    world.reading.letters[place] = replace(letter, parsed=replace(letter.parsed, html=HTML))
    place = world.reading.place_of(sample.entry_id(4))  # of a conversation
    letter = world.reading.letters[place]
    shown_later = replace(letter, parsed=replace(letter.parsed, html=HTML), blocked_images=3)
    world.reading.letters[place] = shown_later
    try:
        with serving(strangers), running(world) as site:
            page = new_page(base_url=site.url)
            page.context.add_cookies([site.cookie("vlad@acme.example")])
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.goto(f"/mail/inbox/{sample.entry_id(2)}")
            frame = page.frame_locator("iframe[title='Message body']")
            expect(frame.get_by_text("Seen?")).to_be_visible()
            assert strangers.requests == []
            page.get_by_role("button", name="Show the pictures").click()
            shown = frame.get_by_alt_text("The harbour")
            expect(shown).to_have_js_property("naturalWidth", 40)
            expect(frame.get_by_alt_text("Gone")).to_have_js_property("naturalWidth", 96)
            expect(page.get_by_text("pictures from outside are off")).to_be_hidden()
            expect(page.locator("iframe[title='Message body']")).to_be_focused()
            assert {head.split()[1] for head in strangers.requests} == {"/harbour.png", "/gone.png"}
            page.goto("/settings")
            page.get_by_label("A row for each conversation").check()
            page.get_by_role("button", name="Save the look").click()
            page.goto(f"/mail/inbox/{sample.entry_id(1)}")
            page.locator("summary", has_text="Tomás Ferreira").click()
            page.get_by_role("button", name="Show the pictures").click()
            expect(page.get_by_text("pictures from outside are off")).to_be_hidden()
            assert {url for url in asked if not url.startswith(site.url)} == set()
    finally:
        pictures.close()
