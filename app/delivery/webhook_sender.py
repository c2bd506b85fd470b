"""The loop that sends what is due to webhooks, in the deliver role."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime
from typing import Protocol, TypeVar

from app.audit import alarms, events
from app.delivery import webhooks
from app.delivery.config import DeliverConfig
from app.delivery.webhook_request import NotDelivered, post, sign
from app.delivery.webhooks import GONE, Task
from app.models import Domain
from app.secret import Secret
from archive_store import ids
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import StoreError

log = logging.getLogger(__name__)

T = TypeVar("T")
_TICK = 1.0  # seconds
_AT_ONCE = 8
WILL_NOT_OPEN = "its secret does not open: set the webhook anew"


class RunDb(Protocol):
    """Runs a database job in the worker's one database thread."""

    async def __call__(self, job: Callable[[], T], /) -> T: ...


class WebhookKeys(Protocol):
    """The keys role, as far as webhooks go."""

    def open_webhooks(self, event_ids: Sequence[bytes], /) -> Mapping[bytes, Secret | None]:
        """Secrets by domain, of events that wait; None: it does not open. Raises StoreError."""


class WebhookSender:
    """Sends events; keeps no secret. For one event loop. `threads` ask for keys."""

    def __init__(
        self,
        db: Database,
        keys: WebhookKeys,
        run_db: RunDb,
        threads: Executor,
        config: DeliverConfig,
    ) -> None:
        self._db = db
        self._keys = keys
        self._run_db = run_db
        self._threads = threads
        self._private = config.webhooks_private
        self._tls = ssl.create_default_context()
        if config.authorities is not None:
            self._tls.load_verify_locations(config.authorities)

    async def run(self) -> None:
        """Send until cancelled; what is cut off is sent again after its lease."""
        while True:
            try:
                tasks = await self._run_db(lambda: self._claim(utc_now()))
                if tasks:
                    await self._send_all(tasks)
            except StoreError as error:
                log.warning("webhooks wait for the database: %s", error)
            await asyncio.sleep(_TICK)

    def _claim(self, now: datetime) -> Sequence[Task]:
        with self._db.read() as tx:
            if not webhooks.has_due(tx, now):
                return ()
        with self._db.write() as tx:
            return webhooks.claim(tx, now, _AT_ONCE)

    async def _send_all(self, tasks: Sequence[Task]) -> None:
        asked = [task.event_id for task in tasks]
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, self._keys.open_webhooks, asked)
        except StoreError as error:
            log.warning("webhooks wait for the keys role: %s", error)
            await self._run_db(lambda: self._give_back(tasks))
            return
        # What the keys role says nothing of was settled or removed meanwhile.
        known = [task for task in tasks if task.domain_id in found]
        await asyncio.gather(*(self._send(task, found[task.domain_id]) for task in known))

    async def _send(self, task: Task, secret: Secret | None) -> None:
        if secret is None:
            await self._run_db(lambda: self._switch_off(task))
            return
        now = utc_now()
        webhook_id, timestamp = f"msg_{ids.show(task.event_id)}", int(now.timestamp())
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(secret, webhook_id, timestamp, task.body),
        }
        why, gone = "", False
        try:
            await post(task.url, headers, task.body, self._tls, private=self._private)
        except NotDelivered as error:
            why, gone = str(error), error.status == GONE
            host = webhooks.host_of(task.url)
            log.warning("webhook at %s: %s (attempt %d)", host, error, task.attempts)
        await self._run_db(lambda: self._settle(task, why, gone=gone))

    def _give_back(self, tasks: Sequence[Task]) -> None:
        with self._db.write() as tx:
            webhooks.give_back(tx, tasks, utc_now())

    def _switch_off(self, task: Task) -> None:
        """It cannot sign until it is set anew: no retry helps, so somebody is told."""
        self._settle(task, WILL_NOT_OPEN, gone=True)
        with self._db.read() as tx:
            domain = tx.get(Domain, task.domain_id)
        if domain is not None:
            alarms.raise_alarm(
                self._db, events.WebhookOff(domain=domain.name), "deliver", utc_now()
            )

    def _settle(self, task: Task, why: str, *, gone: bool) -> None:
        with self._db.write() as tx:
            webhooks.settle(tx, task, why, utc_now(), gone=gone)
