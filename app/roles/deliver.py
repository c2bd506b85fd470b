"""The deliver role: hands mail on to primaries and to the outside, and watches both."""

import asyncio
import sys

import uvloop

from app.delivery.config import DeliverConfig
from app.delivery.worker import DeliverStore, DeliverWorker
from app.roles.process import Role, run_role
from app.sending.posting import Posting
from app.wayback.copies import SentCopies
from app.wayback.logins import Logins
from app.wayback.mark import SIGNER, Marker
from app.wiring import Parts
from archive_store.receipts import ReceiptKey


def main(role: Role) -> None:
    """Deliver until asked to stop; attempts in hand are finished."""
    uvloop.run(_deliver(role))


async def _deliver(role: Role) -> None:
    stop = role.stop_event()
    parts = Parts(role.config, role.name)
    # Delivery reports to people of ours are stored like any mail, by this process.
    archive = parts.archive("deliver")
    keys = parts.keys()
    posting = Posting(parts.db, archive, parts.segments)
    config = DeliverConfig.of(role.config)
    logins = Logins(parts.db, config.authorities)
    marker = Marker(parts.public.installation, ReceiptKey.load(parts.store.keys_dir, SIGNER))
    copies = SentCopies(logins, keys, marker)
    store = DeliverStore(parts.db, parts.reader, parts.writer_keys(), archive, posting, copies)
    worker = DeliverWorker(store, keys, config)
    role.ready()
    try:
        await worker.run(stop)
    finally:
        copies.close()
        await asyncio.to_thread(archive.close)
        keys.close()
        parts.close()


if __name__ == "__main__":
    sys.exit(run_role("deliver", main))
