"""An installation with people and mail: the real keys server, the real archive, a clock to move.

`world` has two customers (acme.example in relay mode, other.example in copy mode), their
people, and use cases as the web role has them. Mail is stored as the tee stores it.
"""

import atexit
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.accounts import domains, identities, sessions, users
from app.accounts.sessions import Client
from app.config_kinds import HostPort
from app.delivery.queue import Outbox
from app.keys.agent import KeyAgent
from app.keys.client import KeysClient
from app.keys.server import KeysServer
from app.models import AuditEvent, QueueItem, User
from app.pictures.light_table import LightTable
from app.reading.desk import Documents, ReadingParts
from app.reading.service import Reading
from app.scanning.checks import FileChecks
from app.scanning.scanner import Scanner
from app.secret import Secret
from app.sending.draft_box import DraftBox, DraftParts
from app.sending.service import Sending, SendingParts
from app.viewer import Actor, Role, Viewer
from app.web.sanitize import plain_text_document, raster_type, sanitize_html
from archive_store import ids
from archive_store.address import EmailAddress
from archive_store.archive import Archive
from archive_store.config import ObjectStoreConfig, StoreConfig
from archive_store.db import Database
from archive_store.directory import Owner, PublicKeys, public_octets
from archive_store.envelope import Envelope
from archive_store.indexing import Indexer
from archive_store.keyring import Keyring, KeyringFile
from archive_store.maillog import LogEntry
from archive_store.mime.invitation import Invitations
from archive_store.mime.worker import ParserPool
from archive_store.models import Entry, Mailbox
from archive_store.reader import ArchiveReader
from archive_store.receipts import WRITERS, ReceiptKey
from archive_store.sealing import Copy, Incoming, Relay, Sealer, slot_place
from archive_store.segments.choice import open_segments
from archive_store.writerkeys import WriterKeys
from tests.app.drawn import redraw_or_none
from tests.parts.tables import make_tables

KEEP = timedelta(days=7)
CALENDARS = Invitations()  # its child starts with the first invitation
PAPERS = LightTable()  # likewise
atexit.register(PAPERS.close)
OPERATOR = Actor.command_line("test")
CLIENT = Client(ip="192.0.2.7", user_agent="Firefox")
SEGMENT_OCTETS = 1 << 20


@dataclass
class TestClock:
    """The time of the whole installation but for the archive's own, which is the real one."""

    __test__ = False
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.moment


class World:
    """The installation."""

    def __init__(
        self,
        folder: Path,
        database_url: str,
        parsers: ParserPool,
        object_place: ObjectStoreConfig | None = None,
    ) -> None:
        self.folder = folder
        self.parsers = parsers
        self.clock = TestClock()
        self.config = StoreConfig(
            data_dir=folder,
            database_url=database_url,
            object_store=object_place,
            segment_bytes=SEGMENT_OCTETS,
        )
        self.db = Database(self.config.database)
        make_tables(self.db)
        keyring_file = self._make_keys()
        self.public = PublicKeys.load(self.config.keys_dir)
        self.agent = KeyAgent(self.db, keyring_file, self.config, self.public, self.clock)
        self._server = KeysServer(self.agent, folder)
        self.keys = KeysClient(folder, "web")
        self._index_keys = KeysClient(folder, "index")
        self.segments = open_segments(self.config)
        self.reader = ArchiveReader(self.segments, self.public)
        self.archive = self._archive("ingest")
        self._web_archive = self._archive("web")
        self.indexer = Indexer(self.db, self.reader, self._index_keys, parsers)
        self.reading = Reading(
            ReadingParts(
                db=self.db,
                keys=self.keys,
                reader=self.reader,
                parsers=parsers,
                calendars=CALENDARS,
                documents=Documents(
                    html=sanitize_html, text=plain_text_document, picture=raster_type
                ),
                redraw=redraw_or_none,
                papers=PAPERS,
                keep=KEEP,
                checks=FileChecks(self.db, now=self.clock),
                now=self.clock,
            )
        )
        self.drafts = DraftBox(
            DraftParts(
                db=self.db,
                archive=self._web_archive,
                opener=self.reading.opener,
                segments=self.segments,
                keep=KEEP,
                forget=self.reading.forget_entries,
                now=self.clock,
            )
        )
        self.sending = self.sends(timedelta(0))
        self._people()
        self.agent.ensure_keys()

    def checks_files(self, scanner: Scanner, patience: float = 60.0) -> None:
        """From now on as where the operator has clamd."""
        self.reading.checks = FileChecks(self.db, scanner, self.clock, patience)
        self.sending = self.sends(timedelta(0))

    def sends(self, hold: timedelta) -> Sending:
        """Sending whose mail can be taken back for a while."""
        return Sending(
            SendingParts(
                db=self.db,
                archive=self._web_archive,
                opener=self.reading.opener,
                checks=self.reading.checks,
                parsers=self.parsers,
                drafts=self.drafts,
                hold=hold,
                now=self.clock,
            )
        )

    def _make_keys(self) -> KeyringFile:
        keyring = Keyring.generate()
        keyring.extend(self.clock())
        self.config.keys_dir.mkdir(parents=True)
        file = KeyringFile(self.config.keyring)
        file.save(keyring)
        PublicKeys(
            keyring.installation,
            public_octets(keyring.directory_key),
            public_octets(keyring.audit_key),
            {
                name: public_octets(ReceiptKey.create(self.config.keys_dir, name).key)
                for name in WRITERS
            },
        ).save(self.config.keys_dir)
        return file

    def _archive(self, writer: str) -> Archive:
        sealer = Sealer(WriterKeys(self.public), ReceiptKey.load(self.config.keys_dir, writer))
        return Archive(self.db, open_segments(self.config), sealer, Outbox())

    def _people(self) -> None:
        now = self.clock()
        with self.db.write() as tx:
            primary = HostPort("127.0.0.1", 2526)
            self.acme = domains.add(tx, OPERATOR, "acme.example", primary, now)
            self.other = domains.add(tx, OPERATOR, "other.example", None, now)
            for domain in (self.acme, self.other):
                domains.enable(tx, OPERATOR, domain, now, all_users=True)
        self.add_person("vlad@acme.example", "Vlad Mazek")
        for identity in ("Sales <sales@acme.example>", "Vlad <vlad@ownwebnow.example>"):
            self.add_identity("vlad@acme.example", identity)
        self.add_person("maria@acme.example", "Maria Weiß", Role.DOMAIN_ADMIN)
        self.add_person("audit@acme.example", "Ada Dit", Role.AUDITOR)
        self.add_person("nora@other.example", "Nora", Role.DOMAIN_ADMIN)
        self.add_person("provider@livearchive.example", "Pro Vider", Role.PROVIDER)

    def add_person(self, address: str, name: str, role: Role = Role.USER) -> None:
        new = users.NewUser(
            address=EmailAddress.parse(address), name=name, role=role, password_hash="x"
        )
        with self.db.write() as tx:
            users.add(tx, OPERATOR, new, self.clock())

    def add_identity(self, address: str, identity: str) -> None:
        with self.db.write() as tx:
            user = users.find(tx, OPERATOR, address)
            new = identities.parse(identity, receive=True)
            identities.add(tx, OPERATOR, user, new, self.clock())

    def viewer(self, name: str = "vlad") -> Viewer:
        """Somebody with a new session, by the local part of the address."""
        with self.db.write() as tx:
            user = tx.scalars(select(User).where(User.address.startswith(f"{name}@"))).one()
            token = sessions.start(tx, user, CLIENT, self.clock())
        return self.seen_by(token)

    def seen_by(self, token: Secret) -> Viewer:
        with self.db.read() as tx:
            viewer = sessions.current(tx, token, self.clock(), "192.0.2.7")
        assert viewer is not None
        return viewer

    def receive(
        self,
        octets: bytes,
        *recipients: str,
        mail_from: str = "hanna@in.example",
        at: datetime | None = None,
        client_ip: str = "",
    ) -> list[str]:
        """Store a mail for some recipients of one domain; the ids of its entries."""
        received_at = at or self.clock()
        recipients = recipients or ("vlad@acme.example",)
        boxes = [self.mailbox(one) for one in recipients]
        envelopes = [Envelope(mail_from, to, client_ip=client_ip) for to in recipients]
        pairs = list(zip(boxes, envelopes, strict=True))
        incoming = Incoming(
            boxes[0].tenant_id,
            octets,
            received_at,
            tuple(Copy(box.id, envelope) for box, envelope in pairs),
            tuple(Relay("primary", envelope, mailbox_id=box.id) for box, envelope in pairs),
            LogEntry("received", mail_from, recipients, "A subject", size=len(octets)),
        )
        [stored] = self.archive.submit([incoming]).result(20)
        return [ids.show(one) for one in stored.entry_ids]

    def mailbox(self, address: str) -> Mailbox:
        key = EmailAddress.parse(address).key
        owner = {"sales@acme.example": "vlad@acme.example"}.get(key, key)
        with self.db.read() as tx:
            return tx.scalars(select(Mailbox).where(Mailbox.address == owner)).one()

    def index(self) -> None:
        while self.indexer.run_once():
            pass

    def entry(self, shown: str) -> Entry:
        with self.db.read() as tx:
            return tx.scalars(select(Entry).where(Entry.id == ids.read(shown))).one()

    def acme_place(self, entry: Entry) -> bytes:
        """The context of the envelope of an entry of acme.example."""
        owner = Owner.mailbox(self.acme.id, entry.mailbox_id)
        ids = (entry.message_id, entry.id)
        return slot_place(owner, self.public.installation, "envelope", entry.day, *ids)

    def queue(self) -> Sequence[QueueItem]:
        with self.db.read() as tx:
            return tx.scalars(select(QueueItem).order_by(QueueItem.queued_at)).all()

    def events(self, kind: str) -> list[bytes]:
        """The octets of the audit events of a kind, in order."""
        with self.db.read() as tx:
            of_kind = select(AuditEvent).where(AuditEvent.kind == kind)
            return [event.octets for event in tx.scalars(of_kind.order_by(AuditEvent.seq))]

    def close(self) -> threading.Thread:
        self.archive.close()
        self._web_archive.close()
        self.segments.close()
        self.keys.close()
        self._index_keys.close()
        # Each of its five sockets takes a fifth of a second to stop: nobody waits for that.
        ending = threading.Thread(target=self._end)
        ending.start()
        return ending

    def _end(self) -> None:
        self._server.close()
        self.db.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def parsers() -> Iterator[ParserPool]:
    with ParserPool() as pool:
        yield pool
    CALENDARS.close()


@pytest.fixture(scope="session")
def endings() -> Iterator[list[threading.Thread]]:
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join()


def make_world(
    url: str,
    parsers: ParserPool,
    endings: list[threading.Thread],
    object_place: ObjectStoreConfig | None,
) -> Iterator[World]:
    # The path of a Unix socket has at most 108 octets: a folder of pytest's is too deep.
    made = World(Path(tempfile.mkdtemp(prefix="la-")), url, parsers, object_place)
    yield made
    endings.append(made.close())


@pytest.fixture
def world(
    parsers: ParserPool,
    endings: list[threading.Thread],
    object_place: ObjectStoreConfig | None,
) -> Iterator[World]:
    """An installation on SQLite."""
    yield from make_world("", parsers, endings, object_place)


@pytest.fixture
def any_world(
    database_url: str,
    parsers: ParserPool,
    endings: list[threading.Thread],
    object_place: ObjectStoreConfig | None,
) -> Iterator[World]:
    """An installation, once on each kind of database."""
    for made in make_world(database_url, parsers, endings, object_place):
        yield made
        made.db.close()  # before its PostgreSQL database is dropped
