"""What is stored of one SMTP transaction: copies in mailboxes and items in the mailbag. No I/O."""

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from app.accounts.routing import Disposition, Route
from app.wayback.mark import Marks
from archive_store.clock import utc_now
from archive_store.envelope import DsnWishes, Envelope
from archive_store.maillog import LogEntry
from archive_store.sealing import Copy, Incoming, Relay
from smtp_ingest.forwarding import Origin
from smtp_ingest.peek import peek
from smtp_ingest.ports import AcceptedRecipient, ReceivedMail

NOWHERE = Route(disposition=Disposition.KEEP)


class Store(Protocol):
    """Where the door puts mail: the writer's process, or a writer's thread in this one."""

    def submit(self, mails: Sequence[Incoming]) -> "Future[Any] | asyncio.Future[Any]":
        """Store the mails of one transaction, all or none; done means durable.

        The future's error is a StoreError.
        """


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


def without_own_copies(
    mail: ReceivedMail, routes: Sequence[Route], marks: Marks | None
) -> list[Route]:
    """The routes, but nowhere for whoever has sent this mail from here: it is in Sent already, and
    on the primary, which sent it back.
    """
    addresses = [recipient.address for recipient in mail.recipients]
    owner = marks.owner(mail.octets, addresses) if marks is not None else None
    if owner is None:
        return list(routes)
    return [
        NOWHERE if address.key == owner.key else route
        for address, route in zip(addresses, routes, strict=True)
    ]


class _Part:
    """What one tenant gets of a transaction. Nobody gets a mail twice in one mailbox."""

    def __init__(self) -> None:
        self.copies: dict[bytes, Copy] = {}
        self.relays: list[Relay] = []
        self.recipients: dict[str, None] = {}  # in order; a journal report may name 100,000

    def keep(self, mailbox_id: bytes, envelope: Envelope) -> None:
        self.copies.setdefault(mailbox_id, Copy(mailbox_id, envelope))
        self._note(envelope)

    def hand_on(self, envelope: Envelope, mailbox_id: bytes | None) -> None:
        self.relays.append(Relay("primary", envelope, mailbox_id=mailbox_id))
        self._note(envelope)

    def _note(self, envelope: Envelope) -> None:
        self.recipients.setdefault(envelope.rcpt_to)


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


def _log_entry(mail: ReceivedMail, recipients: Iterable[str]) -> LogEntry:
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
