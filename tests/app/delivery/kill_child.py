"""A deliver role in a process of its own, to be killed by a test."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from app.delivery.config import DeliverConfig
from app.delivery.queue import Outbox
from app.delivery.worker import DeliverStore, DeliverWorker
from app.sending.posting import Posting
from app.wayback.copies import SentCopies
from app.wayback.logins import Logins
from app.wayback.mark import Marker
from archive_store.archive import Archive
from archive_store.db import Database
from archive_store.directory import PublicKeys
from archive_store.keyring import Keyring
from archive_store.opening import KeyOpener
from archive_store.reader import ArchiveReader
from archive_store.receipts import ReceiptKey
from archive_store.sealing import Sealer
from archive_store.segments.local import LocalSegments
from archive_store.writerkeys import WriterKeys
from tests.app.delivery.conftest import TestKeys


def main(url: str, folder: Path) -> None:
    db = Database(url)
    public = PublicKeys.load(folder)
    keyring = Keyring.from_json((folder / "keyring.json").read_bytes())
    segments = LocalSegments(folder / "objects", 1 << 26)
    sealer = Sealer(WriterKeys(public), ReceiptKey.load(folder, "ingest"))
    keys, key = TestKeys(db, KeyOpener(keyring)), ReceiptKey.load(folder, "deliver")
    archive = Archive(db, segments, sealer, Outbox())
    store = DeliverStore(
        db,
        ArchiveReader(segments, public),
        WriterKeys(public),
        archive,
        Posting(db, archive, segments),
        SentCopies(Logins(db), keys, Marker(public.installation, key)),
    )
    config = DeliverConfig(
        hostname="live.ours.example", run_dir=folder / "run", lease=timedelta(hours=1)
    )
    worker = DeliverWorker(store, keys, config)
    asyncio.run(worker.run(asyncio.Event()))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
