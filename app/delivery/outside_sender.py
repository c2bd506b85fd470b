"""The loop that writes to addresses outside, in the deliver role.

Each mail goes into the queue towards the outside, durable before it counts as sent, and from
there by smarthost or MX like what people send; so the primary that is down is not in its way.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime
from typing import Protocol, TypeVar

from app.accounts import codes
from app.delivery import outside, outside_letter, queue
from app.delivery.config import DeliverConfig
from app.delivery.outside import Asking, Telling
from app.delivery.outside_letter import OutsideLetter, Place
from app.delivery.returns import Submits
from app.secret import Secret
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.envelope import Envelope
from archive_store.errors import StoreError
from archive_store.maillog import LogEntry
from archive_store.sealing import Incoming, Relay

log = logging.getLogger(__name__)

T = TypeVar("T")


class RunDb(Protocol):
    """Runs a database job in the worker's one database thread."""

    async def __call__(self, job: Callable[[], T], /) -> T: ...


class OutsideKeys(Protocol):
    """The keys role, as far as addresses outside go."""

    def open_outside(self, user_ids: Sequence[bytes], /) -> Mapping[bytes, Secret]:
        """The addresses, by person, of those who are owed a mail there. Raises StoreError."""


class OutsideSender:
    """Writes; keeps no address. For one event loop. `threads` ask for keys."""

    def __init__(
        self,
        stores: tuple[Database, Submits],
        keys: OutsideKeys,
        run_db: RunDb,
        threads: Executor,
        config: DeliverConfig,
    ) -> None:
        self._db, self._archive = stores
        self._keys = keys
        self._run_db = run_db
        self._threads = threads
        self._place = Place(hostname=config.hostname, public_url=config.public_url)
        self._tick = config.outside_tick

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            try:
                await self.turn(utc_now())
            except StoreError as error:
                log.warning("mail to addresses outside waits: %s", error)
            await asyncio.sleep(self._tick)

    async def turn(self, now: datetime) -> None:
        """Write what is owed at this moment. Raises StoreError."""
        asking = await self._run_db(self._to_ask)
        if asking:
            found = await self._open([one.user_id for one in asking])
            for one in asking:
                if one.user_id in found:
                    await self._ask(one, found[one.user_id], now)
        for telling in await self._run_db(lambda: self._claim(now)):
            await self._tell(telling, now)

    async def _open(self, user_ids: Sequence[bytes]) -> Mapping[bytes, Secret]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._keys.open_outside, user_ids)

    async def _ask(self, one: Asking, address: Secret, now: datetime) -> None:
        code = codes.generate()
        if await self._run_db(lambda: self._take(one, code, now)):
            letter = outside_letter.request(self._place, address.reveal(), one.address, code, now)
            await self._send(one.domain_id, [letter], now)

    async def _tell(self, telling: Telling, now: datetime) -> None:
        found = await self._open(telling.user_ids)
        letters = [self._word(telling, one, address, now) for one, address in found.items()]
        if letters:
            await self._send(telling.domain.id, letters, now)
            await self._run_db(lambda: self._settle(telling, tuple(found), now))

    def _word(
        self, telling: Telling, user_id: bytes, address: Secret, now: datetime
    ) -> OutsideLetter:
        outage, opened = telling.outage, telling.what == "opened"
        moment = outage.opened_at if opened or outage.closed_at is None else outage.closed_at
        told = telling.what, telling.domain.name, outage.state, moment
        # The same each time, so that a mail which is sent twice can be told to be one.
        name = hashlib.sha256(outage.id + user_id + telling.what.encode()).digest()
        return outside_letter.word_of_outage(self._place, address.reveal(), told, name, now)

    async def _send(
        self, domain_id: bytes, letters: Sequence[OutsideLetter], now: datetime
    ) -> None:
        mails = [self._incoming(domain_id, letter, now) for letter in letters]
        await asyncio.wrap_future(self._archive.submit(mails))

    def _incoming(self, domain_id: bytes, letter: OutsideLetter, now: datetime) -> Incoming:
        envelope = Envelope(
            mail_from="",  # a failure is nobody's to hear of
            rcpt_to=letter.to,
            helo=self._place.hostname,
            protocol="ESMTP",
            smtputf8=not letter.to.isascii(),
            body8bit=True,
        )
        entry = LogEntry(
            event="received",
            recipients=(letter.to,),
            subject=letter.subject,
            header_from=f"no-reply@{self._place.hostname}",
            message_id=letter.message_id,
            size=len(letter.octets),
            detail="word of an outage, to an address outside",
        )
        relays = (Relay(queue.OUTGOING, envelope),)
        return Incoming(domain_id, letter.octets, now, (), relays, entry)

    def _to_ask(self) -> list[Asking]:
        with self._db.read() as tx:
            return outside.to_ask(tx)

    def _take(self, one: Asking, code: Secret, now: datetime) -> bool:
        with self._db.write() as tx:
            return outside.take_code(tx, one, code, now)

    def _claim(self, now: datetime) -> list[Telling]:
        with self._db.read() as tx:
            if not outside.has_owed(tx, now):
                return []
        with self._db.write() as tx:
            return outside.claim(tx, now)

    def _settle(self, telling: Telling, user_ids: Sequence[bytes], now: datetime) -> None:
        with self._db.write() as tx:
            outside.settle(tx, telling, user_ids, now)
