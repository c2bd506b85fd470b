"""Sends mail by SMTP or LMTP as fast as the server takes it: `python -m bench.load`.

A process of its own, so that its processor time is not the server's. It makes its mails, says
`ready`, waits for a line on standard input, sends until the time is over or the mails are out, and
prints one line of JSON. A mail's latency is from the end of its data to the reply (RFC 5321
section 4.1.1.4). It waits for each reply before the next command, as a sender without PIPELINING.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import uvloop

from bench import corpus

MAILBOXES = 100
DIFFERENT = 200  # mails made; they are sent over and over
TIMEOUT = 120.0


@dataclass(slots=True)
class Stream:
    """What all sessions take their mails from, and what came of it."""

    wire: Sequence[bytes]
    sizes: Sequence[int]
    mailboxes: Sequence[int]  # the numbers of those who get them in turn
    most: int
    seconds: float
    end: float = 0.0
    begun: int = 0
    octets: int = 0
    latencies: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def next(self) -> int | None:
        """The number of the next mail to send; None: enough."""
        if self.begun >= self.most or time.perf_counter() >= self.end:
            return None
        self.begun += 1
        return self.begun - 1


class Session(asyncio.Protocol):
    """One connection that sends mail after mail."""

    def __init__(self, stream: Stream, hello: bytes) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stream = stream
        self._hello = hello
        self._input = b""
        self._step: Callable[[], None] = self._greeted
        self._number = 0
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not of the class

    def connection_lost(self, exc: Exception | None) -> None:
        if self._step != self._left:
            self._stream.errors["connection lost"] += 1
        self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            if line[3:4] == b"-":
                continue
            if line[:1] in b"23":
                self._step()
            else:
                self._stream.errors[line.decode(errors="replace").strip()] += 1
                self._leave()

    def _send(self, octets: bytes, then: Callable[[], None]) -> None:
        self._step = then
        self._transport.write(octets)

    def _greeted(self) -> None:
        self._send(self._hello, self._next)

    def _next(self) -> None:
        number = self._stream.next()
        if number is None:
            self._leave()
            return
        self._number = number
        self._send(b"MAIL FROM:<sender@example.net>\r\n", self._mail_taken)

    def _mail_taken(self) -> None:
        mailboxes = self._stream.mailboxes
        recipient = mailboxes[self._number % len(mailboxes)]
        self._send(b"RCPT TO:<u%d@bench.local>\r\n" % recipient, self._recipient_taken)

    def _recipient_taken(self) -> None:
        self._send(b"DATA\r\n", self._data_wanted)

    def _data_wanted(self) -> None:
        self._sent_at = time.perf_counter()
        self._send(self._stream.wire[self._number % DIFFERENT], self._stored)

    def _stored(self) -> None:
        self._stream.latencies.append(time.perf_counter() - self._sent_at)
        self._stream.octets += self._stream.sizes[self._number % DIFFERENT]
        self._next()

    def _leave(self) -> None:
        self._send(b"QUIT\r\n", self._left)

    def _left(self) -> None:
        self._transport.close()


async def send(stream: Stream, port: int, sessions: int, *, lmtp: bool) -> None:
    """Run the sessions side by side until each has ended."""
    loop = asyncio.get_running_loop()
    hello = b"LHLO bench\r\n" if lmtp else b"EHLO bench\r\n"
    stream.end = time.perf_counter() + stream.seconds
    opened = [
        await loop.create_connection(lambda: Session(stream, hello), "127.0.0.1", port)
        for _ in range(sessions)
    ]
    async with asyncio.timeout(TIMEOUT):
        await asyncio.gather(*(session.ended for _, session in opened))


def main() -> None:
    """One load, as the parent process asks for it."""
    words = argparse.ArgumentParser(prog="python -m bench.load")
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--kind", choices=corpus.KINDS, default="6k")
    words.add_argument("--sessions", type=int, default=10)
    words.add_argument("--seconds", type=float, default=3)
    words.add_argument("--most", type=int, default=1_000_000)
    words.add_argument("--only", type=int, help="the number of the one mailbox that gets all")
    words.add_argument("--lmtp", action="store_true")
    given = words.parse_args()
    mails = corpus.mails(given.kind, DIFFERENT)
    stream = Stream(
        [corpus.on_the_wire(mail) for mail in mails],
        [len(mail) for mail in mails],
        range(MAILBOXES) if given.only is None else [given.only],
        given.most,
        given.seconds,
    )
    print("ready", flush=True)
    sys.stdin.readline()
    before = resource.getrusage(resource.RUSAGE_SELF)
    begun = time.perf_counter()
    uvloop.run(send(stream, given.port, given.sessions, lmtp=given.lmtp))
    seconds = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_SELF)
    report = {
        "taken": len(stream.latencies),
        "octets": stream.octets,
        "seconds": seconds,
        "latencies": [round(each, 6) for each in stream.latencies],
        "errors": dict(stream.errors),
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    }
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
