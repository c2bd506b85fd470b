"""SMTP sessions with other servers, kept open for a moment in case more mail follows.

STARTTLS is opportunistic (RFC 7435) unless a domain asks for more: taken where it is
offered, certificates are not checked, and when the handshake fails the mail goes in clear,
as it would without the offer. With `Tls.ENCRYPT` nothing goes in clear; with `Tls.VERIFY`
the certificate must be of a trusted authority and valid for the server's name as it was
set (RFC 9525). Without that there is no session, and the mail waits.

A session carries at most PER_SESSION messages and idles at most IDLE seconds.
"""

import asyncio
import contextlib
import socket
import ssl
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import aiosmtplib

from app.accounts.domains import Tls
from app.delivery.config import Timeouts
from app.delivery.contact import Contact, NoSession, Reached
from app.delivery.mx import Target

_Key = tuple[str, int, Tls]

IDLE = 2.0
PER_SESSION = 100
_FAREWELL = 5.0  # seconds that a server has to answer QUIT


@dataclass(slots=True)
class Connection:
    """One session. `used` counts its messages; `took`: seconds until it was ready."""

    client: aiosmtplib.SMTP
    server: str
    took: float = 0.0
    used: int = 0
    idle_since: float = 0.0

    @property
    def alive(self) -> bool:
        return self.client.is_connected

    def close(self) -> None:
        """Hang up."""
        self.client.close()

    async def would_take_mail(self, timeout: float) -> int:  # noqa: ASYNC109 - of one command
        """The code of the reply to a mail from nobody; 0 when there is none."""
        try:
            reply = await self.client.execute_command(b"MAIL", b"FROM:<>", timeout=timeout)
        except (aiosmtplib.SMTPException, OSError):
            return 0
        return max(reply.code, 0)

    async def quit(self) -> None:
        """Say good-bye, and hang up whatever the answer is."""
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await self.client.quit(timeout=_FAREWELL)
        self.client.close()


@dataclass(slots=True)
class Connections:
    """Opens sessions and keeps the idle ones."""

    hostname: str
    timeouts: Timeouts
    authorities: Path | None = None  # PEM, trusted beside those of the system
    _idle: dict[_Key, list[Connection]] = field(default_factory=lambda: defaultdict(list))
    _farewells: set[asyncio.Task[None]] = field(default_factory=set)
    _unchecked: ssl.SSLContext = field(init=False)
    _checked: ssl.SSLContext = field(init=False)

    def __post_init__(self) -> None:
        self._unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._unchecked.check_hostname = False
        self._unchecked.verify_mode = ssl.CERT_NONE
        self._checked = ssl.create_default_context()
        if self.authorities is not None:
            self._checked.load_verify_locations(self.authorities)

    def idle(self, target: Target) -> Connection | None:
        """An open session with this server, if there is one."""
        self.tidy()
        waiting = self._idle.get(_key(target), [])
        while waiting:
            connection = waiting.pop()
            if connection.alive:
                return connection
        return None

    def keep(self, target: Target, connection: Connection) -> None:
        """Take back a session that is ready for another message."""
        connection.used += 1
        if not connection.alive:
            return
        if connection.used >= PER_SESSION:
            self._dismiss(connection)
            return
        connection.idle_since = time.monotonic()
        self._idle[_key(target)].append(connection)

    def tidy(self) -> None:
        """End sessions that have been idle for too long."""
        oldest = time.monotonic() - IDLE
        for key, waiting in list(self._idle.items()):
            stay = [connection for connection in waiting if connection.idle_since > oldest]
            for connection in waiting:
                if connection.idle_since <= oldest:
                    self._dismiss(connection)
            if stay:
                self._idle[key] = stay
            else:
                del self._idle[key]

    async def open(self, target: Target, *, probing: bool = False) -> Connection:
        """A new session with the first address that gives one; raises NoSession.

        For a probe everything has to be quick, and TLS is begun only where it is required.
        """
        failure = NoSession(Reached(Contact.SILENT, "its name has no address"), target.host)
        tls = not probing or target.tls is not Tls.MAY
        for address in await self._addresses(target):
            began = time.monotonic()
            try:
                client = await self._session(target, address, probing=probing, tls=tls)
            except NoSession as error:
                failure = error
                continue
            return Connection(client, target.host, time.monotonic() - began)
        raise failure

    async def close(self) -> None:
        """End every idle session."""
        for waiting in self._idle.values():
            for connection in waiting:
                self._dismiss(connection)
        self._idle.clear()
        await asyncio.gather(*self._farewells)

    def _dismiss(self, connection: Connection) -> None:
        task = asyncio.get_running_loop().create_task(connection.quit())
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    async def _addresses(self, target: Target) -> tuple[str, ...]:
        if target.addresses:
            return target.addresses
        loop = asyncio.get_running_loop()
        look_up = loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        try:
            found = await asyncio.wait_for(look_up, self.timeouts.connect)
        except (OSError, TimeoutError):
            reached = Reached(Contact.SILENT, "its name cannot be looked up")
            raise NoSession(reached, target.host) from None
        return tuple(dict.fromkeys(str(address[4][0]) for address in found))

    async def _session(
        self, target: Target, address: str, *, probing: bool, tls: bool
    ) -> aiosmtplib.SMTP:
        patience = self.timeouts
        try:
            dialled = await _dial(
                address, target.port, patience.probe if probing else patience.connect
            )
        except OSError as error:
            raise NoSession(_reached(error), target.host) from error
        client = self._client(dialled, patience.probe if probing else patience.command)
        try:
            await client.connect(timeout=patience.probe if probing else patience.greeting)
            await _hello(client)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            client.close()
            raise NoSession(_reached(error), target.host) from error
        if not tls:
            return client
        try:
            await self._encrypt(client, target)
        except NoSession:
            client.close()
            if target.tls is not Tls.MAY:
                raise
            # Nothing was sent yet: start anew, in clear.
            return await self._session(target, address, probing=probing, tls=False)
        return client

    async def _encrypt(self, client: aiosmtplib.SMTP, target: Target) -> None:
        """Begin TLS; NoSession when a server that offers it, or has to, does not do it."""
        if not client.supports_extension("starttls"):
            if target.tls is not Tls.MAY:
                raise NoSession(Reached(Contact.UNREADY, "it offers no TLS"), target.host)
            return
        context = self._checked if target.tls is Tls.VERIFY else self._unchecked
        try:
            await client.starttls(server_hostname=target.host, tls_context=context)
            await _hello(client)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:  # ssl.SSLError too
            why = "its certificate is not valid" if _is_about_trust(error) else "TLS failed"
            raise NoSession(Reached(Contact.UNREADY, why), target.host) from error

    def _client(self, dialled: socket.socket, timeout: float) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            sock=dialled,
            local_hostname=self.hostname,
            start_tls=False,
            timeout=timeout,
        )


def _key(target: Target) -> _Key:
    return target.host, target.port, target.tls


def _is_about_trust(error: BaseException | None) -> bool:
    """Whether a certificate was refused; the library wraps what TLS says."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


async def _dial(address: str, port: int, timeout: float) -> socket.socket:  # noqa: ASYNC109 - of one step
    """A TCP connection; the library knows one patience only for it and for the greeting."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    dialled = socket.socket(family, socket.SOCK_STREAM)
    dialled.setblocking(False)
    try:
        async with asyncio.timeout(timeout):
            await asyncio.get_running_loop().sock_connect(dialled, (address, port))
    except BaseException:
        dialled.close()
        raise
    return dialled


async def _hello(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        if not client.is_connected:
            raise
        await client.helo()


def _reached(error: Exception) -> Reached:
    """In our own words; the server's could name anybody."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return Reached(Contact.UNREADY, f"it greets with {error.code}")
    if isinstance(error, ConnectionRefusedError):
        return Reached(Contact.REFUSED, "connection refused")
    if isinstance(error, TimeoutError):
        return Reached(Contact.SILENT, "no answer in time")
    if isinstance(error, aiosmtplib.SMTPException):
        # No word of SMTP: as a relay in front answers whose server behind is away.
        return Reached(Contact.SILENT, "it closed the connection")
    return Reached(Contact.SILENT, "no connection")
