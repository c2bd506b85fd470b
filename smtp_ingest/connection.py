"""One TCP connection: moves octets between a socket and a `Session`, and asks the door.

A thin asyncio.Protocol: no task per session, none per command; one for each mail, while the door
takes it. Runs on any asyncio loop; uvloop doubles its rate.

Whatever fails on our side is answered 451 or 421 and logged by its class and place alone: the text
of an exception may hold mail.
"""

import asyncio
import inspect
import logging
import ssl
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, cast

from smtp_ingest import replies
from smtp_ingest.admission import Admission
from smtp_ingest.dialogue import Listener
from smtp_ingest.patience import Patience
from smtp_ingest.ports import LoginCheck, MailDoor, RcptVerdict, TlsFacts
from smtp_ingest.proxy_header import BadHeader, read_header
from smtp_ingest.requests import AskLogin, AskMail, AskRecipient, Close, Request, StartTls
from smtp_ingest.session import Phase, Session
from smtp_ingest.trust import Networks, covers

HANDSHAKE_TIMEOUT = 30.0  # seconds for STARTTLS
HEADER_TIMEOUT = 10.0  # seconds for a PROXY header

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reception:
    """What the connections of one listening port share."""

    door: MailDoor
    listener: Listener
    admission: Admission
    tls: ssl.SSLContext | None = None
    proxies: Networks = ()  # these begin with a PROXY header
    logins: LoginCheck | None = None
    connections: set["Connection"] = field(default_factory=set)


class Connection(asyncio.Protocol):
    """From accept to close."""

    _transport: asyncio.Transport
    _session: Session
    _patience: Patience

    def __init__(self, reception: Reception, client: tuple[str, int] | None = None) -> None:
        self._reception = reception
        self._client = client  # address and port, where a load balancer has named them
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self._client_ip = ""
        self._admitted = False
        self._lost = False
        self._ended = False  # the client has said all it will say
        self._early: bytearray | None = None  # during a handshake: what came with its end
        self._header: bytes | None = None  # of a load balancer, as far as it has come
        self._header_due = 0.0
        self._reading = True
        self._choked = False  # it does not take our replies
        self._task: asyncio.Task[None] | None = None  # a loop does not keep its tasks alive

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        client_ip, port = self._client or peer(transport.get_extra_info("peername"))
        if self._client is None and covers(self._reception.proxies, client_ip):
            self._client_ip = client_ip
            self._header, self._header_due = b"", self._loop.time() + HEADER_TIMEOUT
            self._reception.connections.add(self)
        else:
            self._begin(client_ip, port)

    def _begin(self, client_ip: str, port: int) -> None:
        """Let a client in, or say why not."""
        self._client_ip = client_ip
        refusal = self._reception.admission.enter(self._client_ip)
        if refusal is not None:
            self._transport.write(refusal.octets)
            self._transport.close()
            return
        self._admitted = True
        self._reception.connections.add(self)
        self._session = Session(
            self._reception.listener, client_ip, port, _negotiated(self._transport)
        )
        self._patience = Patience(self._reception.listener.config, self._loop.time())
        self._go_on(None)

    def data_received(self, data: bytes) -> None:
        if self._header is not None:
            self._read_header(data)
            return
        if not self._admitted:
            return
        if self._early is not None:
            self._early += data
            return
        if self._session.phase is Phase.ANSWER:
            self._read(False)  # what more it sends meanwhile can wait in the kernel
        self._drive(self._session.feed, data)

    def eof_received(self) -> bool:
        self._ended = True
        # A client that closes its half still wants its answers; TLS knows no such thing.
        if not self._admitted or self._session.encrypted or self._early is not None:
            return False
        return self._session.phase is Phase.ANSWER

    def pause_writing(self) -> None:
        self._choked = True
        self._read(False)  # whoever takes no replies gets no commands read

    def resume_writing(self) -> None:
        self._choked = False
        if self._admitted and self._session.phase is not Phase.ANSWER:
            self._read(True)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self.closed.set_result(None)
        self._reception.connections.discard(self)
        if self._admitted:
            self._session.abandon()
            self._reception.admission.leave(self._client_ip)

    # What the server calls

    def look_at_the_clock(self, now: float) -> None:
        """Part with a client that is too slow."""
        if not self._admitted:
            if now >= self._header_due:
                self._transport.abort()
            return
        if now < self._patience.deadline(self._session, now):
            return
        if self._session.phase is Phase.CLOSED:
            self._transport.abort()
        else:
            self._drive(self._session.hang_up, replies.TIMED_OUT)

    def shut_down(self) -> None:
        """Finish the mail in hand, if any, and close."""
        if not self._admitted:
            self._transport.abort()
            return
        self._drive(self._session.shut_down)

    def abort(self) -> None:
        """Close at once: whoever is sending will send again."""
        self._transport.abort()

    # Before the session

    def _read_header(self, data: bytes) -> None:
        """Take what a load balancer says of its client. One that names none is the client."""
        self._header = (self._header or b"") + data
        try:
            header = read_header(self._header)
        except BadHeader as error:
            log.warning("a listed proxy sent no PROXY header: %s", error)
            self._transport.abort()
            return
        if header is None:
            return
        self._header = None
        if header.client_ip:
            self._begin(header.client_ip, header.client_port)
        else:
            self._begin(*peer(self._transport.get_extra_info("peername")))
        if header.rest:
            self.data_received(header.rest)

    # The session

    def _drive(self, step: Callable[..., Request | None], *facts: object) -> None:
        """Tell the session something, and do what follows from it."""
        try:
            self._go_on(step(*facts))
        except Exception as error:  # a fault of ours must not look like one of the sender's
            _log_fault("closed a session", error)
            self._session.hang_up(replies.CLOSING)
            self._write()
            self._transport.close()

    def _go_on(self, request: Request | None) -> None:
        """Do what the session asks for until it waits for the client, or for the door."""
        while isinstance(request, AskRecipient):
            request = self._judge(request)
        self._write()
        if isinstance(request, AskMail):
            self._start(self._hand_over(request))
        elif isinstance(request, AskLogin):
            self._start(self._check_login(request))
        elif isinstance(request, StartTls):
            self._read(False)  # until the handshake nothing may be read as SMTP
            self._start(self._encrypt())
        elif isinstance(request, Close) or (
            self._ended and self._session.phase is not Phase.ANSWER
        ):
            self._transport.close()

    def _judge(self, request: AskRecipient) -> Request | None:
        """Ask the door about a recipient; go on at once if it knows by heart."""
        try:
            verdict = self._reception.door.rcpt(request.recipient.address, request.facts)
        except Exception as error:  # see `_excuse`
            return self._session.recipient_judged(_excuse(error))
        if inspect.isawaitable(verdict):
            self._start(self._await_verdict(verdict))
            return None
        return self._session.recipient_judged(verdict)

    async def _await_verdict(self, awaitable: Awaitable[RcptVerdict]) -> None:
        verdict: RcptVerdict
        try:
            verdict = await awaitable
        except Exception as error:  # see `_excuse`
            verdict = _excuse(error)
        self._answer(self._session.recipient_judged, verdict)

    async def _hand_over(self, request: AskMail) -> None:
        try:
            verdicts = await self._reception.door.accept(request.mail)
            if len(verdicts) != request.replies_due:
                raise ValueError("one reply for SMTP, one per recipient for LMTP")
        except Exception as error:  # see `_excuse`
            verdicts = [_excuse(error)] * request.replies_due
        self._answer(self._session.mail_accepted, verdicts)

    async def _check_login(self, request: AskLogin) -> None:
        verdict = None
        logins = self._reception.logins
        try:
            if logins is not None:  # or it had not been offered
                verdict = await logins.check(request.credentials, request.client_ip)
        except Exception as error:  # a fault of ours: nobody is let in by it
            _log_fault("answered 454 for the check of a password", error)
        self._answer(self._session.login_judged, verdict)

    async def _encrypt(self) -> None:
        # From here on only what was decrypted reaches us. The first of it may come together with
        # the last of the handshake, before we hear that this is done.
        self._early = bytearray()
        try:
            transport = await self._loop.start_tls(
                self._transport,
                self,
                cast(ssl.SSLContext, self._reception.tls),  # or it had not been offered
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
            )
        except (OSError, RuntimeError) as error:  # TLS, timeout, a client that left meanwhile
            log.info("the TLS handshake ended with %s", type(error).__name__)
            self._transport.abort()
            return
        if transport is None or self._lost:
            return
        early, self._early = bytes(self._early), None
        self._transport = transport
        self._reading = True
        self._answer(self._session.tls_started, _negotiated(transport))
        if early:
            self.data_received(early)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = self._loop.create_task(work)

    def _answer(self, step: Callable[..., Request | None], fact: object) -> None:
        """Give the session an answer that took its time."""
        self._drive(step, fact)
        if self._session.phase is not Phase.ANSWER and not self._choked:
            self._read(True)

    def _write(self) -> None:
        output = self._session.take_output()
        if output and not self._transport.is_closing():
            self._transport.write(output)

    def _read(self, wanted: bool) -> None:
        if wanted is self._reading or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()


def _excuse(error: Exception) -> replies.Reply:
    """What a fault of the door is to its client: 451, and the sender keeps the mail."""
    _log_fault("answered 451 for the door", error)
    return replies.LOCAL_ERROR


def _log_fault(what: str, error: Exception) -> None:
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.error("%s: %s in %s line %s", what, type(error).__name__, place.name, place.lineno)


def _negotiated(transport: asyncio.BaseTransport) -> TlsFacts | None:
    tls = transport.get_extra_info("ssl_object")
    if tls is None:
        return None
    return TlsFacts(tls.version() or "", (tls.cipher() or ("",))[0])


def peer(name: object) -> tuple[str, int]:
    """Address and port of the client; ("", 0) over a local socket."""
    if not isinstance(name, tuple):
        return "", 0
    address, port = str(name[0]), int(name[1])
    return address.removeprefix("::ffff:") if "." in address else address, port
