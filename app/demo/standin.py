"""A stand-in for the organisation's own mail server: real SMTP (RFC 5321), mail kept in a folder.

`StandIn` has two listeners. The primary can be stopped, and then its port is closed; it can answer
slowly, ask senders to come back later (451), or refuse recipients for good (550). The other one
plays the rest of the internet and is always up. Whether the primary is up, and its mode, is kept in
a file. Anything unforeseen is answered with 451, so that the sender tries again. Units: seconds,
octets.
"""

import asyncio
import json
import logging
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from app.config_kinds import HostPort
from app.demo.kept import Delivery, Shelf
from archive_store.durable import make_folder, replace_file

log = logging.getLogger(__name__)

SIZE_LIMIT = 60 * 1024 * 1024
SLOW_SECONDS = 4.0

TAKEN = "250 2.0.0 Kept"
ACCEPTED = "250 2.1.0 OK"
LATER = "451 4.3.2 The stand-in was asked to take no mail now, try again"
NO_MAILBOX = "550 5.1.1 The stand-in was asked to refuse every mailbox"
LOCAL_ERROR = "451 4.3.0 Local error, try again"


class Mode(StrEnum):
    """How a listener that is up treats mail."""

    NORMAL = "normal"
    SLOW = "slow"
    REFUSE = "refuse"  # 451: come back later
    REJECT = "reject"  # 550: never


@dataclass(frozen=True, slots=True)
class State:
    """What a listener does, since when."""

    up: bool
    since: datetime
    mode: Mode = Mode.NORMAL
    slow_seconds: float = SLOW_SECONDS

    def to_json(self) -> dict[str, object]:
        return asdict(self) | {"since": self.since.isoformat()}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "State":
        return cls(
            up=bool(fields["up"]),
            since=datetime.fromisoformat(fields["since"]),
            mode=Mode(fields["mode"]),
            slow_seconds=float(fields["slow_seconds"]),
        )


class Listener:
    """One SMTP port with the shelf that its mail goes to."""

    def __init__(self, name: str, address: HostPort, shelf: Shelf, state: State) -> None:
        self.name = name
        self.address = address
        self.shelf = shelf
        self.state = state
        self.transports: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen. Opening what is open is no error; raises OSError when the port cannot be had."""
        if self._server is not None:
            return
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Protocol(self), self.address.host, self.address.port
        )
        # A port that the system chose once is kept, so that those who know it find it again.
        self.address = replace(self.address, port=self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Close the port and hang up on everybody, as a server that goes down does."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for transport in tuple(self.transports):
            transport.abort()


class StandIn:
    """The primary and the outside, and the folder that both keep their mail in."""

    def __init__(self, folder: Path, primary: HostPort, outside: HostPort, now: datetime) -> None:
        make_folder(folder)
        self._state_file = folder / "standin.json"
        state = _saved(self._state_file) or State(up=True, since=now)
        self.primary = Listener("primary", primary, Shelf(folder / "primary"), state)
        outside_shelf = Shelf(folder / "outside")
        self.outside = Listener("outside", outside, outside_shelf, State(up=True, since=now))

    async def open(self) -> None:
        """Open what was open when it ran last; at the first start, both."""
        await self.outside.open()
        if self.primary.state.up:
            await self.primary.open()

    def close(self) -> None:
        """Close both ports; what the primary should be at the next start stays as it is."""
        self.primary.close()
        self.outside.close()

    async def start_primary(self, now: datetime) -> None:
        await self.primary.open()
        self._change(up=True, now=now)

    def stop_primary(self, now: datetime) -> None:
        self.primary.close()
        self._change(up=False, now=now)

    def set_mode(self, mode: Mode, slow_seconds: float, now: datetime) -> None:
        state = replace(self.primary.state, mode=mode, slow_seconds=slow_seconds)
        if mode is not self.primary.state.mode:
            state = replace(state, since=now)
        self._save(state)

    def _change(self, *, up: bool, now: datetime) -> None:
        if up is not self.primary.state.up:
            self._save(replace(self.primary.state, up=up, since=now))

    def _save(self, state: State) -> None:
        self.primary.state = state
        replace_file(self._state_file, json.dumps(state.to_json()).encode())


class _Handler:
    """aiosmtpd's hooks, by its names. Each message is kept before its 250."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._listener.state.mode is Mode.REFUSE:
            return LATER
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return ACCEPTED

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._listener.state.mode is Mode.REJECT:
            return NO_MAILBOX
        envelope.rcpt_tos.append(address)
        return ACCEPTED

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        state = self._listener.state
        if state.mode is Mode.SLOW:
            await asyncio.sleep(state.slow_seconds)
        octets = envelope.original_content
        if octets is None:
            return LOCAL_ERROR
        mail_from = envelope.mail_from or ""
        delivery = Delivery(
            mail_from="" if mail_from == "<>" else mail_from,  # aiosmtpd names the null sender so
            recipients=tuple(envelope.rcpt_tos),
            helo=session.host_name or "",
            client=str((session.peer or ("",))[0]),
            octets=octets,
        )
        # No await from here to the reply: being stopped in between would keep a message whose
        # sender never heard of it, and sends it again.
        self._listener.shelf.keep(delivery, datetime.now(UTC))
        return TAKEN

    async def handle_exception(self, error: Exception) -> str:
        """Answer 451; aiosmtpd's own answer is a permanent 500 that quotes the error."""
        log.error("unexpected %s in an SMTP session of the stand-in", type(error).__name__)
        return LOCAL_ERROR


class _Protocol(SMTP):
    """aiosmtpd's session, with lines as long as a message may be, and known to its listener."""

    line_length_limit = SIZE_LIMIT + 2

    def __init__(self, listener: Listener) -> None:
        super().__init__(
            _Handler(listener),
            data_size_limit=SIZE_LIMIT,
            enable_SMTPUTF8=True,
            decode_data=False,
            hostname=f"{listener.name}.standin.example",
            ident="ESMTP LiveArchive demo stand-in",
            loop=asyncio.get_running_loop(),
        )
        self._listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._listener.transports.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self._listener.transports.discard(self.transport)
        super().connection_lost(error)


def _saved(path: Path) -> State | None:
    """The state of the last run; a file that cannot be understood counts as none."""
    try:
        return State.from_json(json.loads(path.read_bytes()))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
