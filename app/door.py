"""The tee: what SMTP accepts becomes copies in mailboxes and items in the mailbag.

The facts of a recipient come from `accounts.routing`; this module turns them
into SMTP replies and into one unit for the archive, so that all recipients of a
transaction are stored together or the sender keeps the mail.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol

from app.accounts.routing import Disposition, Route, resolve
from archive_store.address import EmailAddress
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.envelope import DsnWishes, Envelope
from archive_store.errors import StoreError, StoreFull
from archive_store.maillog import LogEntry
from archive_store.sealing import Copy, Incoming, Relay
from smtp_ingest.forwarding import Origin
from smtp_ingest.peek import peek
from smtp_ingest.ports import (
    AcceptedRecipient,
    RcptVerdict,
    ReceivedMail,
    SessionFacts,
    Transmission,
)
from smtp_ingest.replies import Reply

REMEMBER_SECONDS = 2.0  # how long a change to people or domains takes to reach the door
REMEMBER_ROUTES = 20_000

NOT_OURS = Reply(550, "5.7.1", "This server takes no mail for that domain")
UNKNOWN = Reply(550, "5.1.1", "No such mailbox here")
OFF = Reply(550, "5.1.1", "No mail is kept for this address")
STORED = Reply(250, "2.6.0", "Stored")
NO_ROOM = Reply(452, "4.3.1", "No room to store mail now, try again later")
NOT_NOW = Reply(451, "4.3.0", "The mail could not be stored now, try again later")

_REFUSALS = {
    Disposition.NOT_OURS: NOT_OURS,
    Disposition.REJECT_UNKNOWN: UNKNOWN,
    Disposition.REJECT_OFF: OFF,
}


class Store(Protocol):
    """Where the door puts mail: the writer's process, or a writer's thread in this one."""

    def submit(self, mails: Sequence[Incoming]) -> "Future[Any] | asyncio.Future[Any]":
        """Store the mails of one transaction, all or none; done means durable.

        The future's error is a StoreError.
        """


@dataclass(frozen=True, slots=True)
class _Remembered:
    route: Route
    until: float


class Door:
    """MailDoor over a store. Lives on the event loop of the ingest role."""

    def __init__(self, db: Database, store: Store) -> None:
        self._db = db
        self._store = store
        self._routes: dict[str, _Remembered] = {}

    def rcpt(
        self, address: EmailAddress, session: SessionFacts
    ) -> RcptVerdict | Awaitable[RcptVerdict]:
        """Judge a recipient: from memory at once, else by asking the database in a thread."""
        remembered = self._routes.get(address.key)
        if remembered is not None and remembered.until > monotonic():
            return _REFUSALS.get(remembered.route.disposition)
        return self._ask(address)

    async def accept(self, mail: ReceivedMail) -> Sequence[Reply]:
        """Store the mail for everybody, durably, or for nobody."""
        routes = [await self._route(recipient.address) for recipient in mail.recipients]
        # Between RCPT and here somebody may have switched a domain or a person off: then a
        # recipient has nowhere to go any more, and a 250 for him would be a lie.
        lost = [route.disposition in _REFUSALS for route in routes]
        by_recipient = mail.session.transmission is Transmission.LMTP
        if all(lost) or (any(lost) and not by_recipient):
            return [NOT_NOW] * (len(lost) if by_recipient else 1)
        reply = await self._keep(as_unit(mail, routes))
        if not by_recipient:
            return [reply]
        return [NOT_NOW if one else reply for one in lost]

    async def _keep(self, unit: list[Incoming]) -> Reply:
        try:
            await asyncio.wrap_future(self._store.submit(unit))
        except StoreFull:
            return NO_ROOM
        except StoreError:
            return NOT_NOW
        return STORED

    async def _ask(self, address: EmailAddress) -> RcptVerdict:
        try:
            route = await self._route(address)
        except StoreError:
            return NOT_NOW
        return _REFUSALS.get(route.disposition)

    async def _route(self, address: EmailAddress) -> Route:
        remembered = self._routes.get(address.key)
        if remembered is not None and remembered.until > monotonic():
            return remembered.route
        route = await asyncio.to_thread(self._look_up, address)
        if len(self._routes) >= REMEMBER_ROUTES:
            self._routes.clear()
        self._routes[address.key] = _Remembered(route, monotonic() + REMEMBER_SECONDS)
        return route

    def _look_up(self, address: EmailAddress) -> Route:
        with self._db.read() as tx:
            return resolve(tx, address)


def as_unit(mail: ReceivedMail, routes: Sequence[Route]) -> list[Incoming]:
    """What is stored of one transaction: one Incoming per tenant. No I/O."""
    parts: dict[bytes, _Part] = {}
    for recipient, route in zip(mail.recipients, routes, strict=True):
        envelope = _envelope(mail, recipient)
        if route.tenant_id is not None and route.mailbox_id is not None:
            _part(parts, route.tenant_id).keep(route.mailbox_id, envelope)
        if route.hands_on and route.domain_id is not None:
            _part(parts, route.domain_id).hand_on(envelope, route.mailbox_id)
    now = utc_now()
    return [
        Incoming(
            tenant,
            mail.octets,
            now,
            tuple(part.copies.values()),
            tuple(part.relays),
            _log_entry(mail, part.recipients),
        )
        for tenant, part in parts.items()
    ]


class _Part:
    """What one tenant gets of a transaction. Nobody gets a mail twice in one mailbox."""

    def __init__(self) -> None:
        self.copies: dict[bytes, Copy] = {}
        self.relays: list[Relay] = []
        self.recipients: list[str] = []

    def keep(self, mailbox_id: bytes, envelope: Envelope) -> None:
        self.copies.setdefault(mailbox_id, Copy(mailbox_id, envelope))
        self._note(envelope)

    def hand_on(self, envelope: Envelope, mailbox_id: bytes | None) -> None:
        self.relays.append(Relay("primary", envelope, mailbox_id=mailbox_id))
        self._note(envelope)

    def _note(self, envelope: Envelope) -> None:
        if envelope.rcpt_to not in self.recipients:
            self.recipients.append(envelope.rcpt_to)


def _part(parts: dict[bytes, _Part], tenant: bytes) -> _Part:
    return parts.setdefault(tenant, _Part())


def _envelope(mail: ReceivedMail, recipient: AcceptedRecipient) -> Envelope:
    return Envelope(
        mail.mail_from,
        recipient.text,
        mail.session.helo,
        mail.session.client_ip,
        mail.protocol,
        mail.smtputf8,
        mail.body8bit,
        _dsn(mail, recipient),
    )


def _dsn(mail: ReceivedMail, recipient: AcceptedRecipient) -> DsnWishes | None:
    if not (recipient.notify or recipient.orcpt or mail.ret or mail.envid):
        return None
    return DsnWishes(recipient.notify, recipient.orcpt, mail.ret, mail.envid)


def _log_entry(mail: ReceivedMail, recipients: Sequence[str]) -> LogEntry:
    header = peek(mail.octets)
    more = {"helo": mail.session.helo, "protocol": mail.protocol}
    if mail.session.login:
        more["login"] = mail.session.login
    if mail.origin is not None:
        more |= _told(mail.origin)
    return LogEntry(
        "received",
        mail.mail_from,
        tuple(recipients),
        header.subject,
        header.sender,
        header.message_id,
        len(mail.octets),
        mail.session.client_ip,
        more=more,
    )


def _told(origin: Origin) -> dict[str, str]:
    """What the server that sent it told of where it came from; what it did not is left out."""
    told = {
        "origin": origin.client_ip,
        "origin_name": origin.client_name,
        "origin_helo": origin.helo,
        "origin_queue_id": origin.queue_id,
    }
    return {name: text for name, text in told.items() if text}
