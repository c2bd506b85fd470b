"""The one place where the packages' objects are put together, from the settings."""

from datetime import timedelta

from app.config import Config
from app.delivery.queue import Outbox
from app.keys.client import KeysClient
from app.setup import run_dir
from archive_store.archive import Archive
from archive_store.config import StoreConfig
from archive_store.db import Database
from archive_store.directory import PublicKeys
from archive_store.held import HeldReader
from archive_store.reader import ArchiveReader
from archive_store.receipts import ReceiptKey
from archive_store.sealing import Sealer
from archive_store.segments import SegmentStore
from archive_store.segments.choice import open_hold_segments, open_segments
from archive_store.writer import Writer
from archive_store.writerkeys import WriterKeys


def keeps(store: StoreConfig) -> dict[str, timedelta]:
    """How long each series of keys lasts."""
    return {"mail": store.keep, "mailbag": store.mailbag_keep, "log": store.maillog_keep}


class Parts:
    """The objects that most roles share; each is made when first asked for, once."""

    def __init__(self, config: Config, role: str) -> None:
        self.config = config
        self.role = role
        self.store = config.store
        self.db = Database(self.store.database)
        self.public = PublicKeys.load(self.store.keys_dir)
        self.segments = open_segments(self.store)
        self.reader = ArchiveReader(self.segments, self.public)

    def keys(self) -> KeysClient:
        """The keys role, as this role may use it."""
        return KeysClient(run_dir(self.config), self.role)

    def hold_segments(self, hold_id: bytes) -> SegmentStore:
        """The segments of a legal hold."""
        return open_hold_segments(self.store, hold_id)

    @property
    def held_reader(self) -> HeldReader:
        """What opens mail under a legal hold."""
        return HeldReader(self.db, self.reader, self.hold_segments)

    def writer_keys(self) -> WriterKeys:
        """Writer keys for one thread."""
        return WriterKeys(self.public)

    def archive(self, name: str) -> Archive:
        """The writing side in a thread of its own."""
        return Archive(self.db, *self._writing(name))

    def writer(self, name: str) -> Writer:
        """The writing side for this thread."""
        return Writer(self.db, *self._writing(name))

    def _writing(self, name: str) -> tuple[SegmentStore, Sealer, Outbox]:
        """What a writer needs: it has a segment file and keys of its own."""
        receipt_key = ReceiptKey.load(self.store.keys_dir, name)
        segments = open_segments(self.store)
        return segments, Sealer(self.writer_keys(), receipt_key), Outbox()

    def close(self) -> None:
        """Give back connections and files."""
        self.segments.close()
        self.db.close()
