"""The loop that sends what is due to webhooks, in the deliver role."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from app.delivery import webhooks
from app.delivery.config import DeliverConfig
from app.delivery.webhook_request import NotDelivered, post, sign
from app.delivery.webhooks import GONE, Task
from archive_store import ids
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import StoreError

log = logging.getLogger(__name__)

T = TypeVar("T")
_TICK = 1.0  # seconds
_AT_ONCE = 8


class RunDb(Protocol):
    """Runs a database job in the worker's one database thread."""

    async def __call__(self, job: Callable[[], T], /) -> T: ...


class WebhookSender:
    """Sends events. For one event loop."""

    def __init__(self, db: Database, run_db: RunDb, config: DeliverConfig) -> None:
        self._db = db
        self._run_db = run_db
        self._private = config.webhooks_private
        self._tls = ssl.create_default_context()
        if config.authorities is not None:
            self._tls.load_verify_locations(config.authorities)

    async def run(self) -> None:
        """Send until cancelled; what is cut off is sent again after its lease."""
        while True:
            try:
                tasks = await self._run_db(lambda: self._claim(utc_now()))
                await asyncio.gather(*(self._send(task) for task in tasks))
            except StoreError as error:
                log.warning("webhooks wait for the database: %s", error)
            await asyncio.sleep(_TICK)

    def _claim(self, now: datetime) -> Sequence[Task]:
        with self._db.read() as tx:
            if not webhooks.has_due(tx, now):
                return ()
        with self._db.write() as tx:
            return webhooks.claim(tx, now, _AT_ONCE)

    async def _send(self, task: Task) -> None:
        now = utc_now()
        webhook_id, timestamp = f"msg_{ids.show(task.event_id)}", int(now.timestamp())
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(task.secret, webhook_id, timestamp, task.body),
        }
        why, gone = "", False
        try:
            await post(task.url, headers, task.body, self._tls, private=self._private)
        except NotDelivered as error:
            why, gone = str(error), error.status == GONE
            host = webhooks.host_of(task.url)
            log.warning("webhook at %s: %s (attempt %d)", host, error, task.attempts)
        await self._run_db(lambda: self._settle(task, why, gone))

    def _settle(self, task: Task, why: str, gone: bool) -> None:
        with self._db.write() as tx:
            webhooks.settle(tx, task, why, utc_now(), gone=gone)
