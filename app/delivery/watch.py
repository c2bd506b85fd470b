"""Keeps the health of every primary up to date, from real attempts and from light probes.

A probe greets and asks whether mail would be taken (EHLO, MAIL FROM:<>, QUIT). It is made only
when there was no real attempt for a while: every five seconds while the server is down, and
soon after it denied a mail. Domains with the same server share one. While a primary is down or
refuses everything nothing is sent to it: its mail waits until the probe gets through; or until
somebody closes the outage, when that was opened to keep mail back.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import select

from app.delivery import health, outages, primaries, queue
from app.delivery.config import DeliverConfig
from app.delivery.contact import Contact, Reached
from app.delivery.courier import Courier
from app.delivery.mx import Target
from app.delivery.routes import primary_target
from app.models import Domain
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import StoreError

log = logging.getLogger(__name__)

T = TypeVar("T")
_TICK = 0.5  # seconds
_PROBES = 20  # at once
_RELOAD = timedelta(seconds=5)
_RELIEF = timedelta(seconds=5)  # at least between two flushes of a server that comes and goes
_REWRITE = timedelta(seconds=30)  # how old the time of the last check may get in its row


class RunDb(Protocol):
    """Runs a database job in the worker's one database thread."""

    async def __call__(self, job: Callable[[], T], /) -> T: ...


@dataclass(slots=True)
class _Watched:
    """One domain's primary, as this worker sees it."""

    health: health.Health
    reached: Reached | None = None
    at: datetime | None = None
    doubted: bool = False  # it denied a mail since the last probe
    written: datetime | None = None
    relieved: datetime | None = None
    dirty: bool = False


class PrimaryWatch:
    """The health of all primaries. For one event loop."""

    def __init__(
        self,
        db: Database,
        courier: Courier,
        config: DeliverConfig,
        run_db: RunDb,
        on_recovery: Callable[[], None],
    ) -> None:
        self._db = db
        self._courier = courier
        self._config = config
        self._run_db = run_db
        self._on_recovery = on_recovery
        self._watched: dict[bytes, _Watched] = {}
        self._servers: dict[Target, list[bytes]] = {}
        self._keeping: set[bytes] = set()
        self._loaded: datetime | None = None
        self._probes: dict[Target, asyncio.Task[None]] = {}
        self._dialing = asyncio.Semaphore(_PROBES)

    def is_down(self, domain_id: bytes) -> bool:
        """Whether it is no use to try now."""
        watched = self._watched.get(domain_id)
        return watched is not None and watched.health.state.is_outage

    def keeps_back(self, domain_id: bytes) -> bool:
        """Whether somebody said that nothing is to be handed on."""
        return domain_id in self._keeping

    async def load(self) -> None:
        """Begin with what was known before."""
        self._keeping = await self._run_db(self._kept)
        for domain_id, known in (await self._run_db(self._stored)).items():
            self._watched[domain_id] = _Watched(known)

    async def note(self, domain_id: bytes, reached: Reached) -> None:
        """Take in how an attempt went."""
        now = utc_now()
        well = health.Health(health.State.UP, now)
        watched = self._watched.setdefault(domain_id, _Watched(well))
        before = watched.health
        watched.health = health.observe(before, reached, now, self._config.prompt)
        watched.reached = reached
        denied = reached.contact is Contact.DENIED
        if not (denied and watched.doubted):  # denials one after the other put no probe off
            watched.at = now
        watched.doubted = denied
        turned = watched.health.state is not before.state
        if turned:
            why = reached.why or "ok"
            log.warning("a domain's mail server is %s (%s)", watched.health.state, why)
        if turned or watched.written is None or now - watched.written >= _REWRITE:
            await self._write(domain_id, watched, now)
        if before.suspect and not watched.health.failures:
            await self._relieve(domain_id, watched, now)

    async def run(self) -> None:
        """Probe until cancelled."""
        try:
            while True:
                try:
                    await self._tick(utc_now())
                except StoreError as error:
                    log.warning("cannot look after the mail servers: %s", error)
                await asyncio.sleep(_TICK)
        finally:
            for probe in list(self._probes.values()):
                probe.cancel()

    async def _tick(self, now: datetime) -> None:
        if self._loaded is None or now - self._loaded >= _RELOAD:
            self._servers = await self._run_db(self._primaries)
            self._loaded = now
            await self._let_go(now)
        for domain_id, watched in list(self._watched.items()):
            if watched.dirty:
                await self._write(domain_id, watched, now)
        for server, domains in self._servers.items():
            if server not in self._probes and any(self._is_due(one, now) for one in domains):
                probe = asyncio.create_task(self._probe(server, tuple(domains)))
                self._probes[server] = probe

    async def _let_go(self, now: datetime) -> None:
        """Mail that was kept back, and was put off meanwhile, is tried at once."""
        kept, self._keeping = self._keeping, await self._run_db(self._kept)
        for domain_id in kept - self._keeping:
            await self._run_db(partial(self._flush, domain_id, now))
            self._on_recovery()

    def _is_due(self, domain_id: bytes, now: datetime) -> bool:
        watched = self._watched.get(domain_id)
        if watched is None or watched.at is None:
            return True
        wait = self._config.probe_up
        if watched.health.suspect or watched.doubted:
            wait = self._config.probe_suspect
        elif watched.health.state.is_outage:
            wait = self._config.probe_down
        return now - watched.at >= timedelta(seconds=wait)

    async def close(self) -> None:
        """End the probes that are under way; what they would have seen is seen next time."""
        probes = list(self._probes.values())
        for probe in probes:
            probe.cancel()
        await asyncio.gather(*probes, return_exceptions=True)

    async def _probe(self, server: Target, domains: tuple[bytes, ...]) -> None:
        try:
            async with self._dialing:
                reached = await self._courier.probe(server)
            for domain_id in domains:
                await self.note(domain_id, reached)
        finally:
            del self._probes[server]

    async def _write(self, domain_id: bytes, watched: _Watched, now: datetime) -> None:
        known, reached = watched.health, watched.reached or Reached(Contact.ANSWERED)
        watched.dirty = True
        try:
            turned = await self._run_db(lambda: self._apply(domain_id, known, reached, now))
        except StoreError as error:
            log.warning("the state of a mail server could not be written: %s", error)
            return  # the next tick tries again
        watched.dirty = watched.health.state is not known.state
        watched.written = now
        if turned and not known.state.is_outage:
            self._on_recovery()

    async def _relieve(self, domain_id: bytes, watched: _Watched, now: datetime) -> None:
        """A hiccup too short for an outage is over: what it put off need not wait."""
        if watched.relieved is not None and now - watched.relieved < _RELIEF:
            return
        watched.relieved = now
        try:
            flushed = await self._run_db(lambda: self._flush(domain_id, now))
        except StoreError as error:
            log.warning("put-off mail waits for its own time: %s", error)
            return
        if flushed:
            self._on_recovery()

    def _flush(self, domain_id: bytes, now: datetime) -> int:
        with self._db.write() as tx:
            return queue.due_at_primary(tx, now, domain_id)

    def _apply(
        self, domain_id: bytes, known: health.Health, reached: Reached, now: datetime
    ) -> bool:
        with self._db.write() as tx:
            return primaries.apply(tx, domain_id, known, reached, now)

    def _stored(self) -> dict[bytes, health.Health]:
        with self._db.read() as tx:
            return primaries.stored(tx)

    def _kept(self) -> set[bytes]:
        with self._db.read() as tx:
            return outages.keeping(tx)

    def _primaries(self) -> dict[Target, list[bytes]]:
        servers: dict[Target, list[bytes]] = {}
        with self._db.read() as tx:
            for domain in tx.scalars(select(Domain)):
                server = primary_target(domain)
                if server is not None:
                    servers.setdefault(server, []).append(domain.id)
        return servers
