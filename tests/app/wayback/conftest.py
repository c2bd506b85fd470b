"""The small installation of the delivery's tests, whose domain has its mailboxes on a Dovecot."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.keys import imap
from app.models import Domain, ImapAccess
from app.secret import Secret
from archive_store.clock import utc_now
from archive_store.envelope import Envelope
from archive_store.sealing import Copy, Incoming, Relay
from tests.app.delivery.conftest import World
from tests.app.delivery.conftest import world as world
from tests.parts.dovecot import MASTER, MASTER_PASSWORD
from tests.parts.network import free_port


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'wayback.db'}"


def give_imap(world: World, port: int, password: str = MASTER_PASSWORD, **changes: object) -> None:
    """Let the domain's mailboxes be reached at a port of this machine."""
    access = imap.sealed(world.keyring, world.domain.id, Secret(password))
    facts = {"host": "127.0.0.1", "port": port, "tls": "none", "master": MASTER, "login": "plain"}
    facts |= {"names": "address", "sent_folder": "", "refusals": 0}
    facts |= {"rests_until": None}
    for name, value in (facts | changes).items():
        setattr(access, name, value)
    access.set_at = utc_now()
    with world.db.write() as tx:
        tx.merge(access)
        # No mail is handed on, so that no health of an SMTP server stands in the way.
        tx.get_one(Domain, world.domain.id).mode = "copy"


def access_of(world: World) -> ImapAccess:
    with world.db.read() as tx:
        return tx.get_one(ImapAccess, world.domain.id)


def sent_by(world: World, address: str, message_id: str = "") -> bytes:
    """Queue a copy of what somebody sends; the octets of the mail."""
    box = world.mailboxes.get(address) or world.add_person(address)
    name = message_id or f"<{box.hex()}@ours.example>"
    octets = f"From: {address}\r\nMessage-ID: {name}\r\nSubject: Hello\r\n\r\nHello\r\n".encode()
    copies = (Copy(box, Envelope(address, address), "sent", seen=True),)
    relays = (Relay("sent", Envelope("", address), mailbox_id=box),)
    mail = Incoming(world.domain.id, octets, utc_now(), copies, relays)
    world.archive.submit([mail]).result(30)
    return octets


@dataclass
class Proxy:
    """Stands between LiveArchive and an IMAP server, and cuts each session short at its step.

    `steps`: where the sessions stop, in the order in which they come; those after them pass.
    """

    to: int
    steps: list[str] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    sessions: int = 0
    stalled: int = 0

    async def relay(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        step = self.steps.pop(0) if self.steps else ""
        self.sessions += 1
        server, forth = await asyncio.open_connection("127.0.0.1", self.to)
        commands = asyncio.create_task(self._pass(client, forth, step, _ASKED))
        answers = asyncio.create_task(self._pass(server, back, step, _ANSWERED))
        try:
            await asyncio.wait([commands, answers], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (commands, answers):
                task.cancel()
            for end in (forth, back):
                end.transport.abort()

    async def _pass(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        step: str,
        ends: dict[str, Callable[[bytes], int]],
    ) -> None:
        while octets := await source.read(65536):
            end = ends[step](octets) if step in ends else -1
            target.write(octets if end < 0 else octets[:end])
            await target.drain()
            if end >= 0:
                self.stalled += 1
                while await source.read(65536):
                    pass  # until whoever speaks here has gone


def _half_of_the_mail(octets: bytes) -> int:
    at = octets.find(b"Subject: Hello")
    return at + 3 if at >= 0 else -1


_ASKED: dict[str, Callable[[bytes], int]] = {
    "before the log-in": lambda octets: octets.find(b"AUTHENTICATE"),
    "in the mail": _half_of_the_mail,
}
_ANSWERED: dict[str, Callable[[bytes], int]] = {
    "after the append": lambda octets: octets.find(b"OK [APPENDUID"),
}


@asynccontextmanager
async def proxy(to: int, *steps: str) -> AsyncIterator[Proxy]:
    made = Proxy(to, list(steps))
    sessions: set[asyncio.Task[None]] = set()

    def begin(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        sessions.add(asyncio.create_task(made.relay(client, back)))

    server = await asyncio.start_server(begin, "127.0.0.1", made.port)
    try:
        yield made
    finally:
        server.close()
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is closed in the next turn of the loop
