"""Who is told of a delivery, and how: the report goes to the envelope sender, once.

Never to the null sender, or two servers would bounce at each other for ever (RFC 5321
section 6.1). One of ours finds the report in the own mailbox, and the own mail server gets
it like any mail; anybody else gets it by the queue. The report is stored durably before the
failure is: a crash in between makes a second report, never a lost one.
"""

import asyncio
import secrets
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.delivery import queue
from app.delivery.courier import is_address
from app.delivery.dsn import DeliveryReport, ReportedRecipient
from app.delivery.queue import Claim
from app.delivery.routes import primary
from app.models import AddressRoute, Domain, User
from archive_store.address import EmailAddress
from archive_store.archive import Stored
from archive_store.db import Database
from archive_store.envelope import Envelope
from archive_store.maillog import LogEntry
from archive_store.models import Entry, Mailbox
from archive_store.sealing import Copy, Incoming, Relay


class Submits(Protocol):
    """The archive's writing side."""

    def submit(self, mails: Sequence[Incoming], /) -> Future[list[Stored]]:
        """Store durably, all or none."""


class Returns:
    """Sends reports."""

    def __init__(self, db: Database, archive: Submits, hostname: str) -> None:
        self._db = db
        self._archive = archive
        self._hostname = hostname

    async def send(
        self,
        claim: Claim,
        sender: str,
        recipients: Sequence[ReportedRecipient],
        original: bytes,
        now: datetime,
    ) -> None:
        """Report; returns when the report is durable. Raises StoreError."""
        if not sender or not is_address(sender):
            return
        report = DeliveryReport(
            hostname=self._hostname,
            sender=sender,
            recipients=recipients,
            original=original,
            queued_at=min(item.queued_at for item in claim.items),
            now=now,
            token=secrets.token_hex(12),
        )
        incoming = await asyncio.to_thread(self._incoming, claim, report)
        await asyncio.wrap_future(self._archive.submit([incoming]))

    def _incoming(self, claim: Claim, report: DeliveryReport) -> Incoming:
        envelope = Envelope(
            mail_from="",
            rcpt_to=report.sender,
            helo=self._hostname,
            protocol="ESMTP",
            smtputf8=not report.sender.isascii(),
            body8bit=True,
        )
        with self._db.read() as tx:
            tenant_id, copies, relays = _addressed(tx, claim, envelope)
        octets = report.to_octets()
        entry = LogEntry(
            event="received",
            recipients=(report.sender,),
            subject=report.subject,
            header_from=f"MAILER-DAEMON@{self._hostname}",
            message_id=f"<{report.token}@{self._hostname}>",
            size=len(octets),
            detail="the report of a delivery",
        )
        return Incoming(tenant_id, octets, report.now, copies, relays, entry)


def _addressed(
    tx: Session, claim: Claim, envelope: Envelope
) -> tuple[bytes, tuple[Copy, ...], tuple[Relay, ...]]:
    """Whose mail the report is, and where it goes."""
    address = EmailAddress.parse(envelope.rcpt_to, literals=True)
    domain = tx.scalars(select(Domain).where(Domain.name == address.ascii_domain)).first()
    mailbox = _mailbox(tx, claim, address)
    copies = (Copy(mailbox.id, envelope),) if mailbox else ()
    if mailbox is not None:
        # An identity's address may be of a domain that is not ours: its mailbox decides.
        tenant = mailbox.tenant_id
        back = domain is not None and domain.id == tenant and primary(domain) is not None
        relays = (Relay(queue.PRIMARY, envelope, mailbox_id=mailbox.id),) if back else ()
        return tenant, copies, relays
    if domain is not None and primary(domain) is not None:
        return domain.id, (), (Relay(queue.PRIMARY, envelope),)
    return claim.domain.id, (), (Relay(queue.OUTGOING, envelope),)


def _mailbox(tx: Session, claim: Claim, sender: EmailAddress) -> Mailbox | None:
    """The sender's own mailbox here, if LiveArchive is switched on for that person."""
    # What was sent from a mailbox comes back there, as whichever identity it was sent.
    entry_ids = [item.entry_id for item in claim.items if item.entry_id is not None]
    sent = select(Mailbox).join(Entry, Entry.mailbox_id == Mailbox.id)
    sent = sent.where(Entry.id.in_(entry_ids))
    if claim.kind == queue.PRIMARY:  # whose entries are mostly those of recipients
        sent = sent.where(Entry.folder == "sent")
    mailbox = tx.scalars(sent).first()
    if mailbox is None:
        routed = select(Mailbox).join(AddressRoute, AddressRoute.mailbox_id == Mailbox.id)
        mailbox = tx.scalars(routed.where(AddressRoute.address_key == sender.key)).first()
    if mailbox is None:
        return None
    live = (
        select(User.id)
        .join(Domain, Domain.id == User.domain_id)
        .where(User.mailbox_id == mailbox.id, User.live, Domain.enabled)
    )
    return mailbox if tx.scalar(live) is not None else None
