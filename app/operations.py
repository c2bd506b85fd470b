"""What the operator's commands do with mailboxes: list, export, import. All audited."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.accounts import domains
from app.accounts.errors import Unknown
from app.audit import events
from app.keys.client import KeysClient
from app.models import AddressRoute
from app.viewer import Actor
from app.wiring import Parts
from archive_store import ids
from archive_store.address import BadAddress, EmailAddress
from archive_store.clock import utc_now
from archive_store.directory import Owner
from archive_store.envelope import Envelope
from archive_store.errors import NotFound
from archive_store.indexing import IndexedSummary
from archive_store.mime.parse import parse_message
from archive_store.mime.summary import summarise
from archive_store.models import FOLDERS, GONE, Entry, EntryIndex, Mailbox, Message
from archive_store.retention import visible_after
from archive_store.sealing import Copy, Incoming
from archive_store.summaries import SummarySealer

BATCH = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """One message as `messages list` shows it."""

    id: str
    message_id: str
    sender: str
    subject: str
    folder: str
    received_at: datetime
    size: int
    seen: bool
    envelope_from: str
    envelope_to: str


def domain_id_of(tx: Session, name: str) -> bytes:
    """The id of a domain of ours; `Unknown` when it is none."""
    domain = domains.by_name(tx, domains.parse_name(name))
    if domain is None:
        raise Unknown(f"no such domain: {name}")
    return domain.id


def mailbox_of(tx: Session, address: str) -> Mailbox:
    """The mailbox that takes the mail to an address; `Unknown` when none does."""
    try:
        key = EmailAddress.parse(address.strip()).key
    except BadAddress:
        raise Unknown(f"{address}: not a mail address") from None
    route = tx.get(AddressRoute, key)
    mailbox = tx.get(Mailbox, route.mailbox_id) if route else None
    if mailbox is None:
        raise Unknown(f"no mailbox here takes mail to {address}")
    return mailbox


class MailboxReader:
    """Reads somebody's mailbox for an operator who gave a reason."""

    def __init__(self, parts: Parts, keys: KeysClient, operator: str, reason: str) -> None:
        self._parts = parts
        self._keys = keys
        self._operator = operator
        self._reason = reason

    def list_messages(self, address: str, folder: str = "") -> list[Listed]:
        """What the mailbox holds, newest first."""
        if folder and folder not in FOLDERS:
            raise NotFound(f"no such folder: {folder} (one of {', '.join(FOLDERS)})")
        with self._parts.db.read() as tx:
            mailbox = mailbox_of(tx, address)
            rows = self._visible(tx, mailbox, folder)
            sealed = _indexes(tx, [entry.seq for entry, _ in rows])
        day_keys = self._keys.operator_summary_keys(self._operator, self._reason, mailbox.id)
        owner = Owner.mailbox(mailbox.tenant_id, mailbox.id)
        found = []
        for entry, message in rows:
            index = sealed.get(entry.seq)
            if index is None or entry.day not in day_keys:
                found.append(_listed(entry, self._read(entry, message)))
                continue
            sealer = SummarySealer(
                self._parts.public.installation, owner, entry.day, day_keys[entry.day]
            )
            octets = sealer.open_summary(entry.id, index.summary)
            found.append(_listed(entry, IndexedSummary.from_octets(octets)))
        return found

    def export(self, address: str) -> Iterator[tuple[bytes, bytes]]:
        """Entry id and octets of everything in the mailbox, oldest first."""
        with self._parts.db.read() as tx:
            mailbox = mailbox_of(tx, address)
            rows = self._visible(tx, mailbox, "")[::-1]
        yield from self._opened(rows)
        event = events.MessagesExported(
            mailbox_id=mailbox.id, address=mailbox.address, count=len(rows), reason=self._reason
        )
        with self._parts.db.write() as tx:
            actor = Actor.command_line(self._operator)
            audit.record(tx, event, trail=mailbox.tenant_id, actor=actor, at=utc_now())

    def _opened(self, rows: Sequence[tuple[Entry, Message]]) -> Iterator[tuple[bytes, bytes]]:
        for at in range(0, len(rows), BATCH):
            batch = rows[at : at + BATCH]
            keys = self._content_keys([entry.id for entry, _ in batch])
            for entry, message in batch:
                if entry.id not in keys:
                    raise NotFound(f"message {ids.show(entry.id)} does not open: run fsck")
                yield entry.id, self._parts.reader.open(message, keys[entry.id]).octets

    def _read(self, entry: Entry, message: Message) -> IndexedSummary:
        """The summary of a message that the index role has not reached yet."""
        key = self._content_keys([entry.id]).get(entry.id)
        if key is None:
            return IndexedSummary(summarise(parse_message(b"")), "", "", False)
        opened = self._parts.reader.open(message, key)
        envelope = self._parts.reader.envelope(message.tenant_id, entry, key)
        summary = summarise(parse_message(opened.octets))
        return IndexedSummary(summary, envelope.rcpt_to, envelope.mail_from, opened.genuine)

    def _content_keys(self, entry_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        return self._keys.operator_entries(self._operator, self._reason, entry_ids)

    def _visible(self, tx: Session, mailbox: Mailbox, folder: str) -> "list[tuple[Entry, Message]]":
        query = (
            select(Entry, Message)
            .join(Message, Entry.message_id == Message.id)
            .where(
                Entry.mailbox_id == mailbox.id,
                Entry.folder != GONE,
                Entry.received_at > visible_after(utc_now(), self._parts.store.keep),
            )
            .order_by(Entry.received_at.desc(), Entry.seq.desc())
        )
        if folder:
            query = query.where(Entry.folder == folder)
        return [(entry, message) for entry, message in tx.execute(query)]


def import_messages(
    parts: Parts,
    operator: str,
    address: str,
    messages: Sequence[bytes],
    progress: Callable[[], None],
) -> int:
    """Store messages from files in a mailbox; each is durable before the next begins."""
    with parts.db.read() as tx:
        mailbox = mailbox_of(tx, address)
    archive = parts.archive("ingest")
    count = 0
    try:
        for octets in messages:
            envelope = Envelope("", address, protocol="import")
            copies = (Copy(mailbox.id, envelope),)
            mail = Incoming(mailbox.tenant_id, octets, utc_now(), copies)
            archive.submit([mail]).result()
            count += 1
            progress()
    finally:
        archive.close()
        # Also when it ended half-way: what was stored by then is in the mailbox.
        if count:
            event = events.MessagesImported(
                mailbox_id=mailbox.id, address=mailbox.address, count=count
            )
            with parts.db.write() as tx:
                actor = Actor.command_line(operator)
                audit.record(tx, event, trail=mailbox.tenant_id, actor=actor, at=utc_now())
    return count


def record_repair(parts: Parts, operator: str, entries: int, taken_out: int) -> None:
    """Put into the audit trail that `fsck --repair` changed the index."""
    event = events.StoreChecked(entries=entries, taken_out=taken_out)
    with parts.db.write() as tx:
        actor = Actor.command_line(operator)
        audit.record(tx, event, trail=audit.INSTALLATION, actor=actor, at=utc_now())


def _indexes(tx: Session, seqs: Sequence[int]) -> dict[int, EntryIndex]:
    found = {}
    for at in range(0, len(seqs), 500):
        wanted = select(EntryIndex).where(EntryIndex.entry_seq.in_(seqs[at : at + 500]))
        found.update({row.entry_seq: row for row in tx.scalars(wanted)})
    return found


def _listed(entry: Entry, indexed: IndexedSummary) -> Listed:
    summary = indexed.summary
    return Listed(
        ids.show(entry.id),
        summary.message_id,
        _sender(summary.sender_name, summary.sender_address),
        summary.subject,
        entry.folder,
        entry.received_at,
        entry.size,
        entry.seen,
        indexed.mail_from,
        indexed.sent_to,
    )


def _sender(name: str, address: str) -> str:
    return f"{name} <{address}>" if name else address
