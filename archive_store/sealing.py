"""From a mail in hand to what is written of it: one frame and its rows.

The content is sealed once under a random content key for all recipients of one
transaction of one tenant (never de-duplicated by hash: guessable); each owner
gets a wrap of that key and an envelope that names only its own recipient.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from archive_store import maillog, seal
from archive_store.directory import Owner
from archive_store.envelope import Envelope
from archive_store.ids import new_ordered_id
from archive_store.receipts import ReceiptKey, statement
from archive_store.segments.frame import (
    DRAFT_SLOT,
    ENTRY_SLOT,
    OUTGOING_SLOT,
    PENDING_SLOT,
    QUEUE_SLOT,
    QUEUE_SLOTS,
    SENT_COPY_SLOT,
    SENT_SLOT,
    MessageFrame,
    Slot,
)
from archive_store.writerkeys import LiveKey, WriterKeys

_QUEUE_KINDS = {
    "primary": QUEUE_SLOT,
    "outgoing": OUTGOING_SLOT,
    "pending": PENDING_SLOT,
    "sent": SENT_COPY_SLOT,
}


@dataclass(frozen=True, slots=True)
class Copy:
    """One mailbox that gets an entry."""

    mailbox_id: bytes
    envelope: Envelope
    folder: str = "inbox"
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Relay:
    """One recipient towards which the mail is queued; `kind` is "primary" or "outgoing".

    Of kind "sent" it is the sender, whose own mailbox on the primary gets a copy. Of kind
    "pending" the mail is no letter yet: it is what somebody wrote, to be sent when due.
    """

    kind: str
    envelope: Envelope
    not_before: datetime | None = None
    mailbox_id: bytes | None = None  # whose entry shows what becomes of it, if any


@dataclass(frozen=True, slots=True)
class Incoming:
    """One mail for one tenant: its octets, who gets a copy, where it is handed on to."""

    tenant_id: bytes
    octets: bytes
    received_at: datetime
    copies: tuple[Copy, ...] = ()
    relays: tuple[Relay, ...] = ()
    log: maillog.LogEntry | None = None


@dataclass(frozen=True, slots=True)
class SealedRelay:
    """A queue item as the queue stores it."""

    id: bytes
    message_id: bytes
    tenant_id: bytes
    entry_id: bytes | None
    kind: str
    day: date
    slot: int  # which key slot of the frame is this item's
    writer_key_id: bytes
    wrap: bytes
    envelope: bytes
    queued_at: datetime
    not_before: datetime


@dataclass(frozen=True, slots=True)
class SealedMail:
    """Everything that is written of one Incoming."""

    message_id: bytes
    entry_ids: tuple[bytes, ...]
    frame: MessageFrame  # its receipt comes when the whole batch is sealed
    statement: bytes  # what the receipt is to say
    entries: list[dict[str, Any]]
    relays: list[SealedRelay]
    log_line: dict[str, Any] | None


def content_place(installation: bytes, tenant_id: bytes, message_id: bytes) -> bytes:
    """The context of a message's sealed octets."""
    return seal.context("content", installation, tenant_id, message_id)


def queue_key(content_key: bytes) -> bytes:
    """The key that a queue item's envelope and last reply are sealed under. Whoever looks
    after the queue gets this one, and with it nothing of the mail's own octets.
    """
    return seal.derive(content_key, "queue")


def slot_place(key_owner: Owner, installation: bytes, kind: str, day: date, *ids: bytes) -> bytes:
    """The context of a slot's wrap ("wrap") and envelope ("envelope")."""
    return key_owner.place(installation, kind, day, *ids)


class Sealer:
    """Seals mail for its owners with this process's writer keys."""

    def __init__(self, writer_keys: WriterKeys, receipt_key: ReceiptKey) -> None:
        self.keys = writer_keys
        self._receipt_key = receipt_key

    def seal(self, tx: Session, mail: Incoming, now: datetime) -> SealedMail:
        """Seal one mail; `tx` is only read from, for owners without a live writer key."""
        box = _Box(self.keys.public.installation, now, new_ordered_id(now), seal.new_key())
        live = {copy.mailbox_id: self._mailbox_key(tx, mail, copy, now) for copy in mail.copies}
        copies = [
            (
                copy,
                live[copy.mailbox_id],
                box.slot(_entry_kind(copy), live[copy.mailbox_id], copy.envelope),
            )
            for copy in mail.copies
        ]
        relays = self._relay_slots(tx, mail, box, now)
        slots = tuple([slot for _, _, slot in copies] + [slot for _, _, slot in relays])
        entry_of = {copy.mailbox_id: slot.id for copy, _, slot in copies}
        return SealedMail(
            box.message_id,
            tuple(slot.id for _, _, slot in copies),
            *_frame(mail, box, slots),
            [_entry_row(mail, box.message_id, number, *copy) for number, copy in enumerate(copies)],
            [
                _sealed_relay(mail, box.message_id, entry_of, numbered)
                for numbered in enumerate(relays, len(copies))
            ],
            self._log_line(tx, mail, box.message_id, now),
        )

    def frames(self, mails: Sequence[SealedMail]) -> list[MessageFrame]:
        """The frames of a batch, each with its receipt."""
        receipts = self._receipt_key.sign([mail.statement for mail in mails])
        return [
            replace(mail.frame, receipt=receipt)
            for mail, receipt in zip(mails, receipts, strict=True)
        ]

    def _mailbox_key(self, tx: Session, mail: Incoming, copy: Copy, now: datetime) -> LiveKey:
        return self.keys.get(tx, Owner.mailbox(mail.tenant_id, copy.mailbox_id), now)

    def _relay_slots(
        self, tx: Session, mail: Incoming, box: "_Box", now: datetime
    ) -> list[tuple[Relay, LiveKey, Slot]]:
        if not mail.relays:
            return []
        key = self.keys.get(tx, Owner.mailbag(mail.tenant_id), now)
        return [
            (relay, key, box.slot(_queue_kind(relay), key, relay.envelope)) for relay in mail.relays
        ]

    def _log_line(
        self, tx: Session, mail: Incoming, message_id: bytes, now: datetime
    ) -> dict[str, Any] | None:
        if mail.log is None:
            return None
        key = self.keys.get(tx, Owner.log(mail.tenant_id), now)
        return maillog.seal_line(self.keys, key, message_id, mail.received_at, mail.log)


@dataclass(frozen=True, slots=True)
class _Box:
    """One message while it is being sealed."""

    installation: bytes
    now: datetime
    message_id: bytes
    content_key: bytes

    def slot(self, kind: bytes, key: LiveKey, envelope: Envelope) -> Slot:
        slot_id = new_ordered_id(self.now)
        ids = (self.message_id, slot_id)
        wrap_place = slot_place(key.owner, self.installation, "wrap", key.day, *ids)
        envelope_place = slot_place(key.owner, self.installation, "envelope", key.day, *ids)
        queued = kind in QUEUE_SLOTS
        envelope_key = queue_key(self.content_key) if queued else self.content_key
        return Slot(
            kind,
            slot_id,
            key.owner.owner_id,
            key.id,
            seal.seal_box(key.cipher, self.content_key, wrap_place),
            envelope.seal(envelope_key, envelope_place),
        )


def _entry_kind(copy: Copy) -> bytes:
    return {"sent": SENT_SLOT, "drafts": DRAFT_SLOT}.get(copy.folder, ENTRY_SLOT)


def _queue_kind(relay: Relay) -> bytes:
    return _QUEUE_KINDS[relay.kind]


def _frame(mail: Incoming, box: _Box, slots: tuple[Slot, ...]) -> tuple[MessageFrame, bytes]:
    """The frame, and what its receipt is to say."""
    place = content_place(box.installation, mail.tenant_id, box.message_id)
    content = seal.seal_content(box.content_key, mail.octets, place)
    size = len(mail.octets)
    frame = MessageFrame(
        box.message_id, mail.tenant_id, mail.received_at, size, b"", slots, content
    )
    return frame, statement(place, content, size, mail.received_at)


def _entry_row(
    mail: Incoming, message_id: bytes, number: int, copy: Copy, key: LiveKey, slot: Slot
) -> dict[str, Any]:
    return {
        "id": slot.id,
        "mailbox_id": copy.mailbox_id,
        "message_id": message_id,
        "folder": copy.folder,
        "received_at": mail.received_at,
        "day": key.day,
        "size": len(mail.octets),
        "slot": number,
        "writer_key_id": key.id,
        "wrap": slot.wrap,
        "envelope": slot.envelope,
        "seen": copy.seen,
    }


def _sealed_relay(
    mail: Incoming,
    message_id: bytes,
    entry_of: dict[bytes, bytes],
    numbered: tuple[int, tuple[Relay, LiveKey, Slot]],
) -> SealedRelay:
    number, (relay, key, slot) = numbered
    return SealedRelay(
        slot.id,
        message_id,
        mail.tenant_id,
        entry_of.get(relay.mailbox_id) if relay.mailbox_id else None,
        relay.kind,
        key.day,
        number,
        key.id,
        slot.wrap,
        slot.envelope,
        mail.received_at,
        relay.not_before or mail.received_at,
    )
