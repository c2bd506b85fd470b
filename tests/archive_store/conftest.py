"""A store as its roles see it: keyring and opener on one side, a writer on the other.

A test of a `world` runs on both databases and with segments in each of PLACES; one whose property
has nothing to do with where segments lie says so with `@pytest.mark.folder_only(REASON)`, and runs
on both databases all the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from obstore.store import MemoryStore
from sqlalchemy.orm import Session

from archive_store.archive import Archive, Stored
from archive_store.clock import day_of, utc_now
from archive_store.config import StoreConfig
from archive_store.db import Database
from archive_store.directory import Owner, PublicKeys, ensure_day_keys, public_octets
from archive_store.envelope import Envelope
from archive_store.errors import KeysMissing
from archive_store.ids import new_id
from archive_store.keyring import Keyring
from archive_store.models import Entry, Mailbox, Message
from archive_store.opening import KeyOpener
from archive_store.reader import ArchiveReader, Opened
from archive_store.receipts import ReceiptKey
from archive_store.sealing import Copy, Incoming, Relay, SealedRelay, Sealer
from archive_store.segments import SegmentStore
from archive_store.segments.choice import open_segments
from archive_store.segments.objects import ObjectSegments
from archive_store.writerkeys import WriterKeys
from tests.parts.tables import make_tables

PLACES = ("folder", "s3", "memory")
KEEP = timedelta(days=7)
KEEPS = {"mail": KEEP, "mailbag": KEEP, "log": timedelta(days=30)}


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker means."""
    config.addinivalue_line("markers", "folder_only(reason): not with segments in each place")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test that has segments runs wherever they can lie."""
    if "place" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("folder_only")
        metafunc.parametrize("place", PLACES[:1] if only else PLACES)


@dataclass
class KeptOutbox:
    """A queue that remembers what it was given."""

    items: list[SealedRelay]

    def add(self, tx: Session, items: Sequence[SealedRelay]) -> None:
        self.items.extend(items)


@dataclass
class World:
    """One installation with one tenant."""

    db: Database
    config: StoreConfig
    keyring: Keyring
    public: PublicKeys
    receipt: ReceiptKey
    outbox: KeptOutbox
    tenant: bytes
    open_store: Callable[[], SegmentStore]

    def __post_init__(self) -> None:
        self.opener = KeyOpener(self.keyring)
        self.segments = self.open_store()
        self.reader = ArchiveReader(self.segments, self.public)

    def mailbox(self, address: str = "vlad@acme.example", today: date | None = None) -> bytes:
        box = Mailbox(id=new_id(), tenant_id=self.tenant, address=address, created_at=utc_now())
        with self.db.write() as tx:
            tx.add(box)
            owners = [Owner.mailbox(self.tenant, box.id), Owner.mailbag(self.tenant)]
            owners.append(Owner.log(self.tenant))
            ensure_day_keys(tx, self.keyring, owners, today or day_of(utc_now()))
        return box.id

    def archive(self, segments: SegmentStore | None = None) -> Archive:
        writing = segments or self.open_store()
        sealer = Sealer(WriterKeys(self.public), self.receipt)
        return Archive(self.db, writing, sealer, self.outbox)

    def mail(self, octets: bytes, *boxes: bytes, relay: bool = False) -> Incoming:
        envelope = Envelope("a@b.example", "vlad@acme.example", "b.example", "192.0.2.1")
        relays = (Relay("primary", envelope, mailbox_id=boxes[0] if boxes else None),)
        return Incoming(
            self.tenant,
            octets,
            utc_now(),
            tuple(Copy(box, envelope) for box in boxes),
            relays if relay else (),
        )

    def store(self, *mails: Incoming) -> list[Stored]:
        archive = self.archive()
        try:
            return archive.submit(mails).result(60)
        finally:
            archive.close()

    def rewrite(self, day: date, at: int) -> None:
        """Change one octet of a day's only segment, as a stranger or a bad disk would."""
        [name] = self.segments.names(day)
        octets = bytearray(b"".join(self.segments.take_out(day, name)))
        octets[at] ^= 1
        self.segments.drop(day)
        self.segments.put_back(day, name, BytesIO(octets))

    def rows(self, entry_id: bytes) -> tuple[Entry, Message]:
        with self.db.read() as tx:
            entry = tx.query(Entry).filter_by(id=entry_id).one()
            return entry, tx.query(Message).filter_by(id=entry.message_id).one()

    def content_key(self, entry: Entry) -> bytes:
        ids, box = (entry.message_id, entry.id), (entry.writer_key_id, entry.wrap)
        owner = Owner.mailbox(self.tenant, entry.mailbox_id)
        with self.db.read() as tx:
            return self.opener.content_key(tx, owner, entry.day, ids, box)

    def open(self, entry_id: bytes) -> Opened:
        entry, message = self.rows(entry_id)
        return self.reader.open(message, self.content_key(entry))

    def content_keys(self, entry_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        found = {}
        for one in entry_ids:
            try:
                found[one] = self.content_key(self.rows(one)[0])
            except KeysMissing:
                continue
        return found


@pytest.fixture
def open_store(
    request: pytest.FixtureRequest, place: str, tmp_path: Path
) -> Iterator[Callable[[], SegmentStore]]:
    """Call it for a SegmentStore, again for a second one on the same segments."""
    memory, opened = MemoryStore(), []
    config = StoreConfig(data_dir=tmp_path, segment_bytes=1 << 20)
    if place == "s3":
        config = replace(config, object_store=request.getfixturevalue("seaweedfs").config())

    def remembered() -> SegmentStore:
        opened.append(ObjectSegments(memory) if place == "memory" else open_segments(config))
        return opened[-1]

    yield remembered
    for store in opened:
        store.close()


@pytest.fixture
def make_world(
    tmp_path: Path, database_url: str, open_store: Callable[[], SegmentStore]
) -> Iterator[Callable[[], World]]:
    worlds = []

    def make() -> World:
        config = StoreConfig(data_dir=tmp_path, database_url=database_url, segment_bytes=1 << 20)
        config.keys_dir.mkdir(exist_ok=True)
        db = Database(database_url)
        make_tables(db)
        keyring = Keyring.generate()
        keyring.extend(datetime.now(UTC))
        receipt = ReceiptKey.create(config.keys_dir, "ingest")
        public = PublicKeys(
            keyring.installation,
            public_octets(keyring.directory_key),
            public_octets(keyring.audit_key),
            {"ingest": public_octets(receipt.key)},
        )
        outbox = KeptOutbox([])
        world = World(db, config, keyring, public, receipt, outbox, new_id(), open_store)
        worlds.append(world)
        return world

    yield make
    for world in worlds:
        world.db.close()


@pytest.fixture
def world(make_world: Callable[[], World]) -> World:
    return make_world()
