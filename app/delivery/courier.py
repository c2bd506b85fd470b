"""Hands one message to one server: one SMTP transaction with all its recipients (RFC 5321).

The octets go as they are. aiosmtplib dot-stuffs them and ends the last line; bare CR, bare
LF and NUL from trusted feeds are mended first (`smtp_ingest.newlines`), or a laxer server
could see a second mail in them. 8-bit mail goes as 8-bit mail also to a server that does
not offer 8BITMIME: to re-encode would change it. Addresses go to the wire only when they
parse, and as they are, since the library's own MAIL and RCPT would repair them.

Each recipient has an outcome of its own. `deliver` never raises for what a server does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiosmtplib

from app.delivery.config import Timeouts
from app.delivery.connections import Connection, Connections
from app.delivery.contact import Contact, NoSession, Reached
from app.delivery.mx import Target
from app.delivery.outcome import Deferred, Delivered, Failed, Outcome, judged
from app.delivery.routes import Route
from archive_store.address import BadAddress, EmailAddress
from archive_store.envelope import DsnWishes
from smtp_ingest.newlines import normalized

PUT_OFF = "it puts mail off"
LOST = "4.4.2 The connection was lost"
BAD_SENDER = Failed(0, "5.1.7 The sender's address is none")
BAD_RECIPIENT = Failed(0, "5.1.3 The recipient's address is none")
NEEDS_UTF8 = Failed(0, "5.6.7 The mail server takes no internationalized addresses")
_LOGIN_FIRST = 530  # RFC 4954 section 6, RFC 3207 section 4
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message for some recipients at one destination. Empty `mail_from`: the null sender."""

    mail_from: str
    recipients: tuple[str, ...]
    octets: bytes
    smtputf8: bool = False
    dsn: Mapping[str, DsnWishes] = field(default_factory=dict)  # by recipient


@dataclass(frozen=True, slots=True)
class Report:
    """What became of each recipient, and whether the server could be talked to."""

    outcomes: Mapping[str, Outcome]
    reached: Reached


class Courier:
    """Delivers parcels. For one event loop; close it at the end."""

    def __init__(self, hostname: str, timeouts: Timeouts, authorities: Path | None = None) -> None:
        self._timeouts = timeouts
        self._connections = Connections(hostname, timeouts, authorities)

    async def deliver(self, route: Route, parcel: Parcel) -> Report:
        """Try the servers of a route in turn, until one talks to us."""
        outcomes = _refused_by_ourselves(parcel)
        left = tuple(r for r in dict.fromkeys(parcel.recipients) if r not in outcomes)
        if not left:
            return Report(outcomes, Reached(Contact.ANSWERED))
        failure = NoSession(Reached(Contact.SILENT, "no server to try"), "")
        for target in route.targets:
            try:
                sent, reached = await self._hand_over(target, parcel, left)
            except NoSession as error:
                failure = error
                continue
            return Report(outcomes | sent, reached)
        return Report(outcomes | dict.fromkeys(left, no_contact(failure)), failure.reached)

    async def probe(self, target: Target) -> Reached:
        """Greet a server, ask whether it would take mail, and leave."""
        try:
            connection = await self._connections.open(target, probing=True)
        except NoSession as error:
            return error.reached
        code = await connection.would_take_mail(self._timeouts.probe)
        await connection.quit()
        # Whoever asks for TLS or a log-in first answers; what becomes of mail, attempts will tell.
        if code // 100 == 2 or code == _LOGIN_FIRST:
            return Reached(Contact.ANSWERED, took=connection.took)
        if not code:
            return Reached(Contact.SILENT, "it greets, and then says no more")
        return Reached(Contact.UNREADY, f"it answers MAIL with {code}")

    def tidy(self) -> None:
        """End sessions that nobody used for a while."""
        self._connections.tidy()

    async def close(self) -> None:
        """End every session."""
        await self._connections.close()

    async def _hand_over(
        self, target: Target, parcel: Parcel, recipients: tuple[str, ...]
    ) -> tuple[dict[str, Outcome], Reached]:
        connection = self._connections.idle(target)
        if connection is not None:
            sent = await self._transact(target, connection, parcel, recipients)
            if sent is not None:
                return sent
            # The server had closed it in the meantime, and has seen nothing of this mail.
        connection = await self._connections.open(target)
        sent = await self._transact(target, connection, parcel, recipients)
        if sent is None:
            raise NoSession(Reached(Contact.UNREADY, "it closed the connection"), target.host)
        return sent

    async def _transact(
        self, target: Target, connection: Connection, parcel: Parcel, recipients: tuple[str, ...]
    ) -> tuple[dict[str, Outcome], Reached] | None:
        """One transaction; None when the server hung up before it answered MAIL."""
        transaction = _Transaction(connection, self._timeouts, parcel, recipients)
        try:
            await transaction.run()
        except BaseException:  # cancelled: nobody may use a session in the middle of a mail
            connection.close()
            raise
        if transaction.unheard:
            return None
        first = connection.used == 0
        self._connections.keep(target, connection)
        return transaction.outcomes, transaction.reached(connection.took if first else 0.0)


def no_contact(failure: NoSession) -> Deferred:
    """The outcome for mail whose server could not be reached."""
    return Deferred(0, f"4.4.1 The mail server cannot be reached: {failure.reached.why}")


class _Transaction:
    """MAIL, RCPT, DATA. `outcomes` has every recipient once `run` is over."""

    def __init__(
        self,
        connection: Connection,
        timeouts: Timeouts,
        parcel: Parcel,
        recipients: tuple[str, ...],
    ) -> None:
        self._client = connection.client
        self._server = connection.server
        self._timeouts = timeouts
        self._parcel = parcel
        self._recipients = recipients
        self._utf8 = self._client.supports_extension("smtputf8")
        self._dsn = parcel.dsn if self._client.supports_extension("dsn") else {}
        self.outcomes: dict[str, Outcome] = {}
        self.unheard = True
        self._denied = 0  # the reply to MAIL

    def reached(self, took: float) -> Reached:
        """What this says of the server's health."""
        if self._denied:
            return Reached(Contact.DENIED, f"it answers MAIL with {self._denied}")
        outcomes = self.outcomes.values()
        took_mail = None
        if any(isinstance(one, Delivered) for one in outcomes):
            took_mail = True
        elif all(isinstance(one, Deferred) and not _is_of_mailbox(one) for one in outcomes):
            took_mail = False
        return Reached(Contact.ANSWERED, "" if took_mail is not False else PUT_OFF, took, took_mail)

    async def run(self) -> None:
        """Never raises for what the server does: whoever has no reply yet is deferred."""
        try:
            await self._run()
        except aiosmtplib.SMTPResponseException as error:  # no SMTP reply, or none to DATA
            self._rest(judged(error.code, error.message, self._server))
            self._client.close()
        except (aiosmtplib.SMTPException, OSError):
            self._rest(Deferred(0, LOST, self._server))
            self._client.close()

    async def _run(self) -> None:
        sender = self._path(self._parcel.mail_from)
        if sender is None:
            self.unheard = False
            self._rest(NEEDS_UTF8)
            return
        reply = await self._ask(b"MAIL", b"FROM:<" + sender + b">", *self._options(sender))
        self.unheard = False
        if reply.code != 250:
            self._denied = reply.code
            self._rest(judged(reply.code, reply.message, self._server))
            return
        if await self._name_recipients():
            await self._send()
        else:
            await self._ask(b"RSET")

    async def _name_recipients(self) -> bool:
        """Whether any was accepted."""
        for recipient in self._recipients:
            path = self._path(recipient)
            if path is None:
                self.outcomes[recipient] = NEEDS_UTF8
                continue
            wishes = self._wishes(recipient)
            reply = await self._ask(b"RCPT", b"TO:<" + path + b">", *wishes)
            if reply.code in (250, 251):
                continue
            outcome = judged(reply.code, reply.message, self._server)
            if reply.code == 552:  # too many recipients, RFC 5321 section 4.5.3.1.10
                outcome = Deferred(outcome.code, outcome.text, self._server)
            self.outcomes[recipient] = outcome
        return len(self.outcomes) < len(self._recipients)

    async def _send(self) -> None:
        octets = normalized(self._parcel.octets)
        try:
            reply = await self._client.data(octets, timeout=self._timeouts.data)
        except aiosmtplib.SMTPDataError as error:
            self._rest(judged(error.code, error.message, self._server))
            if error.code == 421:
                self._client.close()
            elif self._client.is_connected:
                await self._ask(b"RSET")
            return
        self._rest(judged(reply.code, reply.message, self._server))

    def _rest(self, outcome: Outcome) -> None:
        if isinstance(outcome, Delivered) and outcome.code != 250:
            outcome = Deferred(outcome.code, outcome.text, outcome.server)
        for recipient in self._recipients:
            own = outcome
            if isinstance(outcome, Delivered) and recipient in self._dsn:
                own = replace(outcome, told=True)
            self.outcomes.setdefault(recipient, own)

    async def _ask(self, *words: bytes) -> aiosmtplib.SMTPResponse:
        return await self._client.execute_command(*words, timeout=self._timeouts.command)

    def _options(self, sender: bytes) -> list[bytes]:
        options = []
        if self._client.supports_extension("size"):
            options.append(b"SIZE=%d" % len(self._parcel.octets))  # RFC 1870
        if self._client.supports_extension("8bitmime") and not self._parcel.octets.isascii():
            options.append(b"BODY=8BITMIME")  # RFC 6152
        addresses = (self._parcel.mail_from, *self._recipients)
        if self._utf8 and (self._parcel.smtputf8 or not all(a.isascii() for a in addresses)):
            options.append(b"SMTPUTF8")  # RFC 6531
        for wishes in list(self._dsn.values())[:1]:  # RFC 3461: of the whole mail
            options += _given(RET=wishes.ret, ENVID=wishes.envelope_id)
        return options

    def _wishes(self, recipient: str) -> list[bytes]:
        wishes = self._dsn.get(recipient)
        if wishes is None:
            return []
        original = wishes.original if self._utf8 or wishes.original.isascii() else ""
        return _given(NOTIFY=wishes.notify, ORCPT=original)

    def _path(self, address: str) -> bytes | None:
        """The address as it goes on the wire; None when this server cannot take it."""
        if address.isascii() or self._utf8:
            return address.encode()
        local = address.rpartition("@")[0]
        if not local.isascii():
            return None
        return f"{local}@{EmailAddress.parse(address).ascii_domain}".encode("ascii")


def _is_of_mailbox(outcome: Outcome) -> bool:
    """Whether a reply is about one address or mailbox (RFC 3463), or its sender's first visit."""
    return outcome.status.startswith(("4.1.", "4.2."))


def _given(**parameters: str) -> list[bytes]:
    return [f"{name}={value}".encode() for name, value in parameters.items() if value]


def _refused_by_ourselves(parcel: Parcel) -> dict[str, Outcome]:
    """What is no address never reaches the library, let alone the wire."""
    if parcel.mail_from and not is_address(parcel.mail_from):
        return dict.fromkeys(parcel.recipients, BAD_SENDER)
    return {r: BAD_RECIPIENT for r in parcel.recipients if not is_address(r)}


def is_address(text: str) -> bool:
    """Whether a text may stand in a command. CR, LF and NUL would end it and begin another."""
    if _CONTROL.search(text):
        return False
    try:
        EmailAddress.parse(text, literals=True)
    except BadAddress:
        return False
    return True
