"""The ingest role's writer as the door sees it: a process of its own at the end of a socket.

Two processes, for two reasons. The one that talks to the internet holds no key that
seals, and writes nothing itself but audit events. And Python runs one thread at a time:
sealing beside the sessions in one process made both of them wait for each other.

The writer ends when the socket does. When it ends by itself, everything it had in hand
fails (the senders keep their mail), and the role ends too, to be started anew.
"""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Self, cast

from archive_store import handover
from archive_store.errors import StoreError, WriteFailed
from archive_store.sealing import Incoming

STOP_SECONDS = 25.0


class WriterClient(asyncio.Protocol):
    """Hands mail over and waits for what becomes of it. For one event loop."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.ended = asyncio.Event()  # nothing can be stored any more
        self._process = process
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._number = 0
        self._input = b""

    @classmethod
    async def start(cls) -> Self:
        """Start the writer and wait until it is ready; SystemExit with its status if it ends."""
        process, ours = _spawn()
        loop = asyncio.get_running_loop()
        _, client = await loop.create_unix_connection(lambda: cls(process), sock=ours)
        if process.stdout is None or not await asyncio.to_thread(process.stdout.readline):
            await client.aclose()
            raise SystemExit(process.returncode)  # it has said why
        return client

    def submit(self, mails: Sequence[Incoming]) -> asyncio.Future[None]:
        """Store the mails of one transaction, all or none; done means durable.

        The future's error is a StoreError; none of the mails is stored then, unless the writer
        itself was lost: then nobody knows.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.ended.is_set():
            future.set_exception(_lost())
            return future
        self._number += 1
        self._waiting[self._number] = future
        self._transport.writelines(handover.request(self._number, mails))
        return future

    async def aclose(self) -> None:
        """Let the writer finish what it has, and end."""
        self._transport.close()
        try:
            await asyncio.to_thread(self._process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        octets = self._input + data
        whole = len(octets) - len(octets) % handover.ANSWER.size
        self._input = octets[whole:]
        for number, error in handover.answers(octets[:whole]):
            self._settle(self._waiting.pop(number), error)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()
        for future in self._waiting.values():
            self._settle(future, _lost())
        self._waiting.clear()

    def _settle(self, future: "asyncio.Future[None]", error: StoreError | None) -> None:
        if future.done():
            return  # whoever waited has stopped waiting
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


def _spawn() -> "tuple[subprocess.Popen[bytes], socket.socket]":
    """The writer's process and our end of its socket."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.roles.ingest_writer", str(theirs.fileno())],
            stdin=subprocess.PIPE,  # as every role: its end means that nobody needs it
            stdout=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
        )
    return process, ours


def _lost() -> WriteFailed:
    return WriteFailed("the process that stores mail has ended")
