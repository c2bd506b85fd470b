"""A whole small installation for the deliver role: store, keys, people, mail servers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.config_kinds import HostPort
from app.delivery.config import DeliverConfig, Timeouts
from app.delivery.queue import Outbox
from app.delivery.routes import Routes
from app.delivery.worker import DeliverStore, DeliverWorker
from app.keys import imap, outside, webhooks
from app.keys.dkim import SigningKey
from app.models import AddressRoute, Domain, QueueItem, User
from app.secret import Secret
from app.sending.posting import Posting
from app.wayback.copies import SentCopies
from app.wayback.imap import Patience
from app.wayback.logins import Logins
from app.wayback.mark import Marker
from archive_store.archive import Archive, Stored
from archive_store.clock import utc_now
from archive_store.db import Base, Database
from archive_store.directory import Owner, PublicKeys, ensure_day_keys, public_octets
from archive_store.envelope import DsnWishes, Envelope
from archive_store.errors import KeysUnavailable
from archive_store.ids import new_id
from archive_store.keyring import Keyring
from archive_store.maillog import LogEntry, open_line
from archive_store.models import Entry, Mailbox, MaillogLine, Message
from archive_store.opening import KeyOpener
from archive_store.reader import ArchiveReader
from archive_store.receipts import ReceiptKey
from archive_store.sealing import Copy, Incoming, Relay, Sealer
from archive_store.segments.local import LocalSegments
from archive_store.writerkeys import WriterKeys
from tests.parts.tables import make_tables

MAIL = b"From: Anna <anna@outside.example>\r\nSubject: Hello\r\n\r\nHello Bob\r\n"
SENDER = "anna@outside.example"


@dataclass
class TestKeys:
    """The keys role without its process; `away`: it does not answer."""

    __test__ = False

    db: Database
    opener: KeyOpener
    away: bool = False
    asked: int = 0
    signing: dict[bytes, list[SigningKey]] = field(default_factory=dict)
    signing_away: bool = False
    webhooks_away: bool = False

    def open_queue(self, item_ids: Sequence[bytes]) -> Mapping[bytes, bytes]:
        self.asked += 1
        if self.away:
            raise KeysUnavailable("the keys role does not answer")
        with self.db.read() as tx:
            items = tx.scalars(select(QueueItem).where(QueueItem.id.in_(item_ids)))
            return {item.id: self.key(tx, item) for item in items if item.wrap}

    def open_dkim(self, item_ids: Sequence[bytes]) -> Mapping[bytes, Sequence[SigningKey]]:
        if self.signing_away:
            raise KeysUnavailable("the keys role does not answer")
        return self.signing

    def open_webhooks(self, event_ids: Sequence[bytes]) -> Mapping[bytes, Secret | None]:
        self.asked += 1
        if self.webhooks_away:
            raise KeysUnavailable("the keys role does not answer")
        with self.db.read() as tx:
            return webhooks.opened(tx, self.opener.keyring, event_ids)

    def open_imap(self, item_ids: Sequence[bytes]) -> Mapping[bytes, Secret | None]:
        with self.db.read() as tx:
            return imap.passwords(tx, self.opener.keyring, item_ids)

    def open_outside(self, user_ids: Sequence[bytes]) -> Mapping[bytes, Secret]:
        with self.db.read() as tx:
            return outside.owed(tx, self.opener.keyring, user_ids)

    def key(self, tx: Session, item: QueueItem) -> bytes:
        owner = Owner.mailbag(item.domain_id)
        ids, box = (item.message_id, item.id), (item.writer_key_id, item.wrap)
        return self.opener.content_key(tx, owner, item.day, ids, box)


@dataclass
class World:
    """One installation with the domain `ours.example`, relayed to a port of this machine."""

    folder: Path
    db: Database
    keyring: Keyring
    public: PublicKeys
    segments: LocalSegments
    archive: Archive
    keys: TestKeys
    domain: Domain
    config: DeliverConfig
    receipt_key: ReceiptKey
    mailboxes: dict[str, bytes] = field(default_factory=dict)
    imap_timeout: float = 30.0
    imap_limit: float = 60.0

    def add_domain(self, name: str, *, mode: str = "relay", port: int = 0) -> Domain:
        """A domain with the keys that its mail needs."""
        domain = Domain(
            id=new_id(),
            name=name,
            mode=mode,
            relay_host="127.0.0.1" if port else "",
            relay_port=port,
            enabled=True,
            all_users=True,
            unknown_recipients="relay",
            smarthost="",
            created_at=utc_now(),
        )
        with self.db.write() as tx:
            tx.add(domain)
            tx.flush()
            owners = [Owner.mailbag(domain.id), Owner.log(domain.id)]
            ensure_day_keys(tx, self.keyring, owners, utc_now().date())
        return domain

    def add_person(self, address: str, domain: Domain | None = None) -> bytes:
        """A person with a mailbox; returns the mailbox's id."""
        tenant = (domain or self.domain).id
        mailbox = Mailbox(id=new_id(), tenant_id=tenant, address=address, created_at=utc_now())
        user = User(
            id=new_id(),
            domain_id=tenant,
            mailbox_id=mailbox.id,
            address=address,
            address_key=address,
            name=address,
            role="user",
            password_hash="",
            live=True,
            created_at=utc_now(),
        )
        with self.db.write() as tx:
            tx.add(mailbox)
            tx.flush()
            tx.add_all([user, AddressRoute(address_key=address, mailbox_id=mailbox.id)])
            owner = Owner.mailbox(tenant, mailbox.id)
            ensure_day_keys(tx, self.keyring, [owner], utc_now().date())
        self.mailboxes[address] = mailbox.id
        return mailbox.id

    def point_primary_to(self, port: int, domain: Domain | None = None) -> None:
        with self.db.write() as tx:
            row = tx.get_one(Domain, (domain or self.domain).id)
            row.relay_host, row.relay_port = "127.0.0.1", port

    def set_smarthost(self, text: str) -> None:
        with self.db.write() as tx:
            tx.get_one(Domain, self.domain.id).smarthost = text

    def receive(
        self,
        *recipients: str,
        octets: bytes = MAIL,
        mail_from: str = SENDER,
        kind: str = "primary",
        domain: Domain | None = None,
        received_at: datetime | None = None,
        dsn: DsnWishes | None = None,
    ) -> Stored:
        """Store a mail and queue it, as the tee does."""
        envelopes = [
            Envelope(mail_from, one, "mail.outside.example", "192.0.2.5", "ESMTP", dsn=dsn)
            for one in recipients or ("bob@ours.example",)
        ]
        boxes = [self.mailboxes.get(envelope.rcpt_to) for envelope in envelopes]
        pairs = list(zip(envelopes, boxes, strict=True))
        mail = Incoming(
            (domain or self.domain).id,
            octets,
            received_at or utc_now(),
            tuple(Copy(box, envelope) for envelope, box in pairs if box),
            tuple(Relay(kind, envelope, None, box) for envelope, box in pairs),
        )
        return self.archive.submit([mail]).result(30)[0]

    def send(self, sender: str, *recipients: str, octets: bytes = MAIL) -> Stored:
        """Queue what a person of ours sends, with its copy in Sent."""
        box = self.mailboxes[sender]
        envelope = Envelope(sender, recipients[0])
        relays = tuple(Relay("outgoing", Envelope(sender, r), None, box) for r in recipients)
        copies = (Copy(box, envelope, "sent", seen=True),)
        mail = Incoming(self.domain.id, octets, utc_now(), copies, relays)
        return self.archive.submit([mail]).result(30)[0]

    def items(self, kind: str | None = None) -> list[QueueItem]:
        with self.db.read() as tx:
            found = tx.scalars(select(QueueItem).order_by(QueueItem.queued_at, QueueItem.id))
            return [item for item in found if kind in (None, item.kind)]

    def states(self) -> list[str]:
        return sorted(item.state for item in self.items())

    def make_due(self) -> None:
        with self.db.write() as tx:
            for item in tx.scalars(select(QueueItem).where(QueueItem.state == "queued")):
                item.next_attempt_at = utc_now()

    def age(self, days: float) -> None:
        """Move the queue's past back by some days."""
        with self.db.write() as tx:
            for item in tx.scalars(select(QueueItem)):
                item.queued_at -= timedelta(days=days)

    def log_entries(self) -> list[LogEntry]:
        with self.db.read() as tx:
            lines = list(tx.scalars(select(MaillogLine).order_by(MaillogLine.seq)))
            opener = self.keys.opener
            return [
                open_line(
                    self.public.installation,
                    line,
                    opener.writer_key(tx, Owner.log(line.tenant_id), line.writer_key_id),
                )
                for line in lines
            ]

    def mail_in(self, address: str, folder: str = "inbox") -> list[bytes]:
        """The octets of a mailbox's folder."""
        reader = ArchiveReader(self.segments, self.public)
        opened = []
        with self.db.read() as tx:
            box = self.mailboxes[address]
            wanted = select(Entry, Message).join(Message, Message.id == Entry.message_id)
            wanted = wanted.where(Entry.mailbox_id == box, Entry.folder == folder)
            for entry, message in tx.execute(wanted.order_by(Entry.seq)):
                owner = Owner.mailbox(message.tenant_id, box)
                ids, slot = (message.id, entry.id), (entry.writer_key_id, entry.wrap)
                key = self.keys.opener.content_key(tx, owner, entry.day, ids, slot)
                opened.append(reader.open(message, key).octets)
        return opened

    def count(self, table: type[Base]) -> int:
        with self.db.read() as tx:
            return tx.scalar(select(func.count()).select_from(table)) or 0

    def copies(self) -> SentCopies:
        logins = Logins(self.db, patience=Patience(self.imap_timeout, self.imap_limit))
        return SentCopies(logins, self.keys, Marker(self.public.installation, self.receipt_key))

    def worker(self, routes: Routes | None = None, **changes: object) -> DeliverWorker:
        store = DeliverStore(
            self.db,
            ArchiveReader(self.segments, self.public),
            WriterKeys(self.public),
            self.archive,
            Posting(self.db, self.archive, self.segments),
            self.copies(),
        )
        config = replace(self.config, **changes)  # type: ignore[arg-type]  # fields by name
        return DeliverWorker(store, self.keys, config, routes)

    @asynccontextmanager
    async def delivering(
        self, routes: Routes | None = None, **changes: object
    ) -> AsyncIterator[None]:
        """A running deliver role, stopped gracefully at the end."""
        stop = asyncio.Event()
        running = asyncio.create_task(self.worker(routes, **changes).run(stop))
        test = asyncio.current_task()
        # A worker that breaks ends the test at once, and not when it has waited long enough.
        running.add_done_callback(lambda _: None if stop.is_set() or not test else test.cancel())
        try:
            yield
        finally:
            stop.set()
            await running


async def until(true: Callable[[], bool], seconds: float = 40) -> None:
    """Wait until something is true; generous, since the machine may be busy."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(true):  # noqa: ASYNC110 - asks a database
            await asyncio.sleep(0.03)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    db = Database(database_url)
    make_tables(db)
    keyring = Keyring.generate()
    keyring.extend(utc_now())
    receipt = ReceiptKey.create(tmp_path, "ingest")
    of_deliver = ReceiptKey.create(tmp_path, "deliver")
    public = PublicKeys(
        keyring.installation,
        public_octets(keyring.directory_key),
        public_octets(keyring.audit_key),
        {"ingest": public_octets(receipt.key), "deliver": public_octets(of_deliver.key)},
    )
    segments = LocalSegments(tmp_path / "objects", 1 << 26)
    archive = Archive(db, segments, Sealer(WriterKeys(public), receipt), Outbox())
    config = DeliverConfig(
        hostname="live.ours.example",
        smarthost=HostPort("127.0.0.1", 9),  # where nobody listens: no test asks the DNS
        run_dir=tmp_path / "run",
        lease=timedelta(seconds=20),
        idle_poll=0.05,
        probe_suspect=1,
        probe_down=1,
        timeouts=Timeouts(connect=10, greeting=10, command=20, data=20, probe=5),
    )
    keys = TestKeys(db, KeyOpener(keyring))
    parts = (db, keyring, public, segments, archive, keys)
    made = World(tmp_path, *parts, Domain(), config, of_deliver)
    made.domain = made.add_domain("ours.example", port=9)
    yield made
    archive.close()
    db.close()
