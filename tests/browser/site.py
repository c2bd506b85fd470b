"""The site over use cases in memory, on a real port, for a real browser."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from playwright._impl._api_structures import SetCookieParam

from app.secret import Secret
from app.views import News
from app.web import create_app
from app.web.deps import LoginAttempt
from tests.app.web import sample
from tests.app.web.double import World

READY_SECONDS = 20


class Server(uvicorn.Server):
    """Says when it listens; leaves the signals to pytest."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = threading.Event()

    def install_signal_handlers(self) -> None:
        pass

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()


@dataclass(frozen=True)
class Site:
    """A running site, and the world behind it."""

    url: str
    world: World

    def tell(self, word: News) -> None:
        """Say something to all open pages; at least one has to listen."""
        deadline = time.monotonic() + READY_SECONDS
        while not self.world.live.listening:
            assert time.monotonic() < deadline, "no page listens"
            time.sleep(0.02)
        self.world.live.said.append(word)

    def reset(self) -> None:
        """Begin again: the same doubles, as new ones are."""
        fresh = World()
        for part in (
            "reading",
            "live",
            "accounts",
            "admin",
            "health",
            "sending",
            "drafts",
            "outbox",
            "habits",
        ):
            old, new = getattr(self.world, part), getattr(fresh, part)
            vars(old).update(vars(new))
        self.world.live.stays = True
        world = self.world
        world.sending.reading = world.drafts.reading = world.outbox.reading = world.reading
        world.sending.drafts = world.outbox.drafts = world.drafts
        world.sending.outbox = world.outbox
        world.sending.habits = world.habits

    def cookie(self, address: str) -> SetCookieParam:
        """A browser's session cookie for somebody."""
        token = self.world.accounts.login(
            LoginAttempt(
                address=address,
                password=Secret(sample.PASSWORD),
                client_ip="198.51.100.7",
                user_agent="",
                public_computer=False,
            )
        )
        return {"name": "la", "value": token.reveal(), "url": self.url}


@contextmanager
def running(world: World) -> Iterator[Site]:
    app = create_app(world.services(), world.settings)
    config = uvicorn.Config(
        app,
        port=0,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.listens.wait(READY_SECONDS)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Site(f"http://127.0.0.1:{port}", world)
    finally:
        server.should_exit = True
        thread.join()
