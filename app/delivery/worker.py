"""The loop of the deliver role: claim, open, deliver, write down.

Claims wait here, few for each destination, until one of the SMTP sessions is free; their
leases are renewed all the while. Everything that touches the database runs in one thread
of its own, so results that come in while one transaction commits share the next one.

When the keys role is away claims are given back, and it is asked again a little later.
`run` ends when told to: attempts in hand are finished, all other claims given back.
"""

import asyncio
import logging
import traceback
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from app.delivery import queue
from app.delivery.attempt import Attempts, Copies, Posts, Result
from app.delivery.budget import Budget
from app.delivery.config import DeliverConfig
from app.delivery.courier import Courier
from app.delivery.dkim import Signer, SigningKeys
from app.delivery.ledger import Ledger
from app.delivery.mx import MailExchangers
from app.delivery.outside_sender import OutsideKeys, OutsideSender
from app.delivery.owner import LeaseOwner
from app.delivery.queue import Claim, Destination
from app.delivery.returns import Returns, Submits
from app.delivery.routes import Routes
from app.delivery.watch import PrimaryWatch
from app.delivery.webhook_sender import WebhookKeys, WebhookSender
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import StoreError
from archive_store.reader import ArchiveReader
from archive_store.writerkeys import WriterKeys

log = logging.getLogger(__name__)

T = TypeVar("T")
IN_HAND = 100  # messages claimed and not yet written down
OPENERS = 4  # threads that ask for keys and read segments
_BREATH = 0.02  # seconds between two claims, so that each takes several
_TROUBLE = 1.0  # seconds to wait when the database or the keys role is away
_KEYS_AWAY = timedelta(seconds=2)
_LAST_WRITES = 20  # times that results are tried to be written at the end
_HOUSEKEEPING = 15.0


class QueueKeys(SigningKeys, WebhookKeys, OutsideKeys, Protocol):
    """The keys role, as far as the deliver role sees it."""

    def open_queue(self, item_ids: Sequence[bytes], /) -> Mapping[bytes, bytes]:
        """Content keys by item; those whose day is over are missing. Raises StoreError."""


@dataclass(frozen=True, slots=True)
class DeliverStore:
    """The store, as the deliver role uses it. `writer_keys` belongs to the worker alone."""

    db: Database
    reader: ArchiveReader
    writer_keys: WriterKeys
    archive: Submits
    posts: Posts
    copies: Copies


class DeliverWorker:
    """One deliver role. `routes` can be another way out than the DNS of this machine."""

    _thorough_at = 0.0  # the last claim that looked at everything, in seconds
    _stopping = _closing = False  # nothing is begun any more; and nothing in hand

    def __init__(
        self,
        store: DeliverStore,
        keys: QueueKeys,
        config: DeliverConfig,
        routes: Routes | None = None,
    ) -> None:
        self._store = store
        self._keys = keys
        self._config = config
        self._db_thread = ThreadPoolExecutor(1, "deliver-db")
        self._openers = ThreadPoolExecutor(OPENERS, "deliver-open")
        self._owner = LeaseOwner.begin(config.run_dir)
        self._ledger = Ledger(store.db, store.reader.segments, store.writer_keys, self._owner.name)
        self._courier = Courier(config.hostname, config.timeouts, config.authorities)
        self._wake = asyncio.Event()
        self._watch = PrimaryWatch(store.db, self._courier, config, self._in_db, self._wake.set)
        self._webhooks = WebhookSender(store.db, keys, self._in_db, self._openers, config)
        self._attempts = Attempts(
            config=config,
            db=store.db,
            reader=store.reader,
            courier=self._courier,
            routes=routes or Routes(MailExchangers(config.hostname), config.smarthost),
            watch=self._watch,
            returns=Returns(store.db, store.archive, config.hostname),
            signer=Signer(store.db, keys),
            posts=store.posts,
            copies=store.copies,
            threads=self._openers,
        )
        self._sessions = asyncio.Semaphore(config.sessions)
        self._per_destination: dict[Destination, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(config.sessions_per_destination)
        )
        self._budget = Budget(config.octets_in_hand)
        self._in_hand: set[bytes] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._results: list[Result] = []
        self._finished = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until told to stop. Once only."""
        try:
            await self._begin()
            settling = asyncio.create_task(self._settle())
            stores = self._store.db, self._store.archive
            outside = OutsideSender(stores, self._keys, self._in_db, self._openers, self._config)
            beside = (self._keep_leases, self._watch.run, self._webhooks.run, outside.run)
            keeping = [asyncio.create_task(job()) for job in beside]
            await self._fill_beside([settling, *keeping], stop)
            self._stopping = True
            if self._running:
                await asyncio.wait(self._running)
            self._closing = True
            self._finished.set()
            await settling  # never cancelled: a result that is lost is delivered again
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            await self._watch.close()
            await self._courier.close()
        finally:
            self._owner.close()
            self._openers.shutdown(wait=False, cancel_futures=True)
            self._db_thread.shutdown(wait=True)

    async def _fill_beside(self, helpers: list[asyncio.Task[None]], stop: asyncio.Event) -> None:
        """Claim until told to stop; a helper that broke takes the role down with it."""
        filling = asyncio.create_task(self._fill(stop))
        await asyncio.wait([filling, *helpers], return_when=asyncio.FIRST_COMPLETED)
        broken = [helper for helper in helpers if helper.done()]
        if broken:
            for task in (filling, *helpers, *self._running):
                task.cancel()
            await asyncio.gather(filling, *helpers, *self._running, return_exceptions=True)
            await broken[0]
        await filling

    async def _begin(self) -> None:
        """Take over what a predecessor on this machine left behind."""
        while True:
            try:
                await self._in_db(self._free_dead)
                await self._watch.load()
            except StoreError as error:
                log.warning("cannot begin to deliver yet: %s", error)
                await asyncio.sleep(_TROUBLE)
                continue
            return

    async def _fill(self, stop: asyncio.Event) -> None:
        """Claim as long as there is room, else wait for room or for mail."""
        while not stop.is_set():
            try:
                claims = await self._claim()
            except StoreError as error:
                log.warning("cannot claim mail: %s", error)
                await self._pause(stop, _TROUBLE)
                continue
            for claim, key in claims:
                task = asyncio.create_task(self._deliver(claim, key))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            await asyncio.sleep(_BREATH)
            if not claims:
                await self._pause(stop, self._config.idle_poll)

    async def _claim(self) -> list[tuple[Claim, bytes | None]]:
        room = IN_HAND - len(self._running) - len(self._results)
        if room < 1:
            return []
        found = await self._in_db(lambda: self._claim_rows(room))
        # What we lost the lease of, and still hold, must not be begun a second time.
        claims = [one for one in found if not self._in_hand.intersection(one.item_ids)]
        if not claims:
            return []
        item_ids = [item_id for one in claims for item_id in one.item_ids]
        self._in_hand.update(item_ids)
        try:
            keys = await self._in_opener(lambda: self._keys.open_queue(item_ids))
        except BaseException:
            await self._give_back(item_ids, _KEYS_AWAY)
            raise
        return [(one, _key_of(one, keys)) for one in claims]

    def _claim_rows(self, room: int) -> list[Claim]:
        now = utc_now()
        with self._store.db.read() as tx:
            if not queue.has_due(tx, now):
                return []
        thorough = now.timestamp() - self._thorough_at >= 1
        if thorough:
            self._thorough_at = now.timestamp()
        owner, lease = self._owner.name, self._config.lease
        with self._store.db.write() as tx:
            return queue.claim(tx, now, owner, room, lease, thorough=thorough)

    async def _deliver(self, claim: Claim, key: bytes | None) -> None:
        """One claim, from its turn to its result. The edge where nothing may escape."""
        async with self._per_destination[claim.destination], self._sessions:
            if self._stopping:
                await self._give_back(claim.item_ids, timedelta(0))
                return
            try:
                async with self._budget.hold(claim.size):
                    result = await self._attempts.make(claim, key)
            except StoreError as error:
                log.warning("a delivery waits for the store: %s", error)
                result = self._attempts.stumbled(claim, key)
            except Exception as error:  # a fault of ours must not take the role down
                log.error("a delivery failed: %s", _where(error))  # noqa: TRY400 - no mail in logs
                result = self._attempts.stumbled(claim, key)
        self._results.append(result)
        self._finished.set()

    async def _settle(self) -> None:
        """Write results down as they come; those that come meanwhile share the next turn."""
        tries = 0
        while not (self._closing and not self._results):
            await self._finished.wait()
            self._finished.clear()
            if self._results and not await self._write_down():
                tries += self._closing
                if tries >= _LAST_WRITES:
                    log.error("%d deliveries end without their result", len(self._results))
                    return
                await asyncio.sleep(_TROUBLE)
                self._finished.set()

    async def _write_down(self) -> bool:
        results, self._results = self._results, []
        try:
            await self._in_db(lambda: self._ledger.write(results, utc_now()))
        except StoreError as error:
            log.warning("results cannot be written yet: %s", error)
            self._results = results + self._results
            return False
        for result in results:
            self._in_hand.difference_update(result.claim.item_ids)
        self._wake.set()
        return True

    async def _keep_leases(self) -> None:
        """Renew what we hold, well before it runs out, and tidy up."""
        period = min(self._config.lease.total_seconds() / 4, _HOUSEKEEPING)
        while True:
            await asyncio.sleep(period)
            self._courier.tidy()
            try:
                await self._in_db(self._renew)
            except StoreError as error:
                log.warning("leases cannot be renewed: %s", error)

    def _renew(self) -> None:
        now = utc_now()
        self._ledger.drop_old_keys(now)
        held = tuple(self._in_hand)
        if held:
            with self._store.db.write() as tx:
                queue.renew(tx, self._owner.name, held, now + self._config.lease)

    def _free_dead(self) -> None:
        with self._store.db.write() as tx:
            dead = self._owner.dead(queue.lease_owners(tx))
            if dead:
                queue.free_dead(tx, dead, utc_now())
        self._owner.tidy()

    async def _give_back(self, item_ids: Sequence[bytes], wait: timedelta) -> None:
        owner = self._owner.name

        def give_back() -> None:
            with self._store.db.write() as tx:
                queue.give_back(tx, owner, item_ids, utc_now() + wait)

        try:
            await self._in_db(give_back)
        except StoreError as error:
            log.warning("claims are left to their leases: %s", error)
        self._in_hand.difference_update(item_ids)

    async def _pause(self, stop: asyncio.Event, seconds: float) -> None:
        """Sleep until something changes, we are to stop, or the time is over."""
        waits = [asyncio.create_task(event.wait()) for event in (stop, self._wake)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        self._wake.clear()

    async def _in_db(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._db_thread, job)

    async def _in_opener(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._openers, job)


def _key_of(claim: Claim, keys: Mapping[bytes, bytes]) -> bytes | None:
    """All items of a message share its content key."""
    return next((keys[item_id] for item_id in claim.item_ids if item_id in keys), None)


def _where(error: Exception) -> str:
    """The kind and place of an error; its text could quote mail."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, line {last.lineno} of {last.filename}"
