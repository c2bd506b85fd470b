"""Journal reports: the mail inside them goes to the people it was delivered to.

`take` stores what a report holds, or the report itself where it could not be read: in a mailbox
of nobody, with an alarm. A feed reaches mailboxes of its own domain alone. Nothing is handed on:
the primary has delivered this mail already.

Exchange may write several reports of one mail, each with some of its recipients, or the same twice.
A mailbox gets the same octets once in REMEMBER. What was stored is remembered by a digest under a
key of this process, in memory alone: a digest on the disk would let a guess be tested.
"""

import asyncio
import hashlib
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from weakref import WeakValueDictionary

from app.accounts.feeds import QUARANTINE, Feed
from app.accounts.routing import Disposition, Route, resolve
from app.audit.alarms import raise_alarm
from app.audit.events import JournalUnread
from app.tee import Store, as_unit, without_own_copies
from app.wayback.mark import Marks
from archive_store.address import EmailAddress
from archive_store.clock import day_of, utc_now
from archive_store.db import Database
from archive_store.errors import StoreError
from archive_store.sealing import Incoming
from smtp_ingest.journal_report import Doubt, JournalReport, NotRead, read_report
from smtp_ingest.ports import AcceptedRecipient, ReceivedMail

REMEMBER = 24 * 3600.0  # seconds
_MOST = 200_000  # entries remembered

log = logging.getLogger(__name__)


class Journal:
    """Takes reports for the door. For one event loop."""

    def __init__(
        self,
        db: Database,
        store: Store,
        clock: Callable[[], float] = time.monotonic,
        marks: Marks | None = None,
    ) -> None:
        self._db = db
        self._marks = marks
        self._store = store
        self._key = secrets.token_bytes(32)
        self._stored = _Stored(clock)
        self._at_work: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()
        self._told: dict[tuple[str, Doubt], date] = {}

    async def take(self, mail: ReceivedMail, feeds: Sequence[Feed]) -> None:
        """Store a report's mail for the feeds that may come from this client; StoreError."""
        session = mail.session
        feeds = [one for one in feeds if one.comes_from(session.client_ip, session.login)]
        if not feeds:
            return
        report = await asyncio.to_thread(_read, mail.octets)
        if isinstance(report, Doubt):
            await self._set_aside(mail, feeds[0], report)
            return
        await self._share_out(mail, report, feeds)
        if report.protected or report.doubt is not None:
            await self._set_aside(mail, feeds[0], report.doubt)

    async def _share_out(
        self, mail: ReceivedMail, report: JournalReport, feeds: Sequence[Feed]
    ) -> None:
        """Store the mail for those of its recipients who have no copy of it yet."""
        routes = await asyncio.to_thread(self._routes, report, {feed.domain_id for feed in feeds})
        digest = await asyncio.to_thread(self._digest, report.message)
        # Two reports at once must not both store: the second waits until the first is durable.
        async with self._at_work.setdefault(digest, asyncio.Lock()):
            wanted = [
                (AcceptedRecipient(address, address.text), route)
                for address, route in routes
                if (digest, route.mailbox_id) not in self._stored
            ]
            if not wanted:
                return
            inside = replace(
                mail,
                mail_from=report.sender,
                recipients=tuple(recipient for recipient, _ in wanted),
                octets=report.message,
                ret="",
                envid="",
            )
            found = without_own_copies(inside, [route for _, route in wanted], self._marks)
            await self._submit(as_unit(inside, found))
            for _, route in wanted:
                self._stored.add((digest, route.mailbox_id))

    def _routes(
        self, report: JournalReport, domain_ids: set[bytes]
    ) -> list[tuple[EmailAddress, Route]]:
        """The recipients whose mail is kept, as far as the feed's domains go."""
        with self._db.read() as tx:
            found = [(address, resolve(tx, address)) for address in report.recipients]
        return [
            (address, replace(route, hands_on=False))
            for address, route in found
            if route.disposition is Disposition.KEEP and route.tenant_id in domain_ids
        ]

    def _digest(self, message: bytes) -> bytes:
        return hashlib.blake2b(message, key=self._key, digest_size=16).digest()

    async def _set_aside(self, mail: ReceivedMail, feed: Feed, doubt: Doubt | None) -> None:
        """Keep the report whole for an administrator; with a doubt there is an alarm, too."""
        address = EmailAddress(QUARANTINE, feed.domain_name)
        whole = replace(mail, recipients=(AcceptedRecipient(address, address.text),))
        nobodys = Route(
            disposition=Disposition.KEEP,
            tenant_id=feed.domain_id,
            mailbox_id=feed.quarantine_id,
        )
        [unit] = as_unit(whole, [nobodys])
        if doubt is None:
            unit = replace(
                unit, copies=tuple(replace(one, folder="archive") for one in unit.copies)
            )
        await self._submit([unit])
        if doubt is not None:
            await asyncio.to_thread(self._alarm, feed.domain_name, doubt)

    async def _submit(self, units: Sequence[Incoming]) -> None:
        await asyncio.wrap_future(self._store.submit([_told_of(one) for one in units]))

    def _alarm(self, domain: str, doubt: Doubt) -> None:
        now = utc_now()
        if self._told.get((domain, doubt)) == day_of(now):
            return
        try:
            raise_alarm(self._db, JournalUnread(domain=domain, doubt=doubt), "ingest", now)
        except StoreError as error:  # the report is safe; the next one tries again
            log.warning("an alarm could not be recorded: %s", error)
        else:
            self._told[(domain, doubt)] = day_of(now)


class _Stored:
    """Which mailbox has which octets, for REMEMBER."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: OrderedDict[tuple[bytes, bytes | None], float] = OrderedDict()

    def __contains__(self, entry: tuple[bytes, bytes | None]) -> bool:
        since = self._since.get(entry)
        return since is not None and self._clock() - since < REMEMBER

    def add(self, entry: tuple[bytes, bytes | None]) -> None:
        self._since[entry] = self._clock()
        self._since.move_to_end(entry)
        if len(self._since) > _MOST:
            self._since.popitem(last=False)


def _read(octets: bytes) -> JournalReport | Doubt:
    try:
        return read_report(octets)
    except NotRead as error:
        return error.doubt
    except Exception as error:
        # Nobody foresaw it, and a 451 would not help: the report would come again and again,
        # and in the end its mail would be lost.
        log.warning("a journal report could not be read: %s", type(error).__name__)
        return Doubt.NO_REPORT


def _told_of(unit: Incoming) -> Incoming:
    if unit.log is None:
        return unit
    return replace(unit, log=replace(unit.log, more=unit.log.more | {"journal": "yes"}))
