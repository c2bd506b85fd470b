"""One attempt: a claim is opened, handed over, and every one of its items gets a verdict.

    open the envelopes and the octets → routes → a Received line on top (mail for a primary), or
    DKIM signatures (mail for the outside) → courier → when to try again → a report for what failed

But for its signatures a mail that a user sends goes out as it was composed. What the attempt
finds damaged fails, with a report; a store that cannot be read now, or a keys role that is away
(StoreError, transient), ends the attempt without a verdict. Nothing here writes to the queue: the
ledger does.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias, TypeVar

from sqlalchemy import select

from app.delivery import delays, queue, sealed
from app.delivery.config import DeliverConfig
from app.delivery.contact import Contact
from app.delivery.courier import Courier, Parcel, is_address
from app.delivery.dkim import Signer
from app.delivery.dsn import ReportedRecipient
from app.delivery.outcome import GONE, Deferred, Delivered, Failed, Outcome
from app.delivery.queue import Claim
from app.delivery.returns import Returns
from app.delivery.routes import NoRoute, Route, Routes, primary_route
from app.delivery.schedule import deadline, next_attempt
from app.delivery.watch import PrimaryWatch
from app.models import Domain, QueueItem
from archive_store import ids
from archive_store.address import EmailAddress
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.envelope import NO_WISHES, Envelope
from archive_store.errors import FrameBroken, FrameUnreadable, NotFound, SealBroken, StoreError
from archive_store.reader import ArchiveReader
from archive_store.sealing import queue_key
from smtp_ingest.trace import received_line

log = logging.getLogger(__name__)

T = TypeVar("T")
Outcomes: TypeAlias = Mapping[bytes, Outcome]  # by item
DOWN = Deferred(0, "4.4.1 The mail server does not answer")
KEPT = Deferred(0, "4.3.2 Kept back until an administrator closes the outage")
DAMAGED = Failed(0, "5.3.0 The stored mail is damaged and cannot be read")
TO_PRIMARY = (queue.PRIMARY, queue.SENT)
BAD_RECIPIENT = Failed(0, "5.1.3 The recipient's address is none")
INTERNAL = Deferred(0, "4.3.0 An error of this service: it will try again")
REPORT_DELAY = timedelta(minutes=1)
_BACK_OFF = 15.0  # seconds, doubled with each failure of a destination
_BACK_OFF_MOST = 300.0
_RESTS_MOST = 1000  # destinations remembered

_random = secrets.SystemRandom()


class Posts(Protocol):
    """What sends the mail that people may take back until it is due."""

    def post(self, claim: Claim, octets: bytes, /) -> Failed | None:
        """Send it, ending its items; Failed when it cannot be sent. Raises StoreError."""


class Copies(Protocol):
    """What puts a sent mail into its sender's own mailbox on the primary."""

    async def file(self, claim: Claim, address: str, octets: bytes, /) -> Outcome | None:
        """Into the Sent folder, once; None when that cannot be reached. Raises StoreError."""

    def marked(self, octets: bytes, address: str, /) -> bytes:
        """The mail as it goes to the mailbox by SMTP."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one item. `again_at` is set exactly when it is tried again."""

    item: QueueItem
    outcome: Outcome
    again_at: datetime | None = None
    delayed: bool = False  # and its sender is told so

    @property
    def expired(self) -> bool:
        """It was put off for the last time."""
        return isinstance(self.outcome, Deferred) and self.again_at is None

    @property
    def over(self) -> bool:
        """It will never be delivered."""
        return isinstance(self.outcome, Failed) or self.expired


@dataclass(frozen=True, slots=True)
class Result:
    """An attempt that is over. Without a content key nothing of it can be sealed."""

    claim: Claim
    content_key: bytes | None
    envelopes: Mapping[bytes, Envelope]  # by item
    verdicts: tuple[Verdict, ...]
    tried: bool = True  # False: no server was asked
    relief: bool = False  # a way out that was blocked is free again: try what waits for it


@dataclass(frozen=True, slots=True)
class _Opened:
    """A claim's content; `broken` says why there are no octets."""

    envelopes: Mapping[bytes, Envelope]
    octets: bytes
    ours: Mapping[str, Domain]
    broken: Failed | None = None


@dataclass(slots=True)
class _Rest:
    """A destination that did not answer is left alone for a while."""

    failures: int = 0
    until: float = 0.0
    last: Deferred = INTERNAL


@dataclass(slots=True, kw_only=True)
class Attempts:
    """Makes attempts, many at a time."""

    config: DeliverConfig
    db: Database
    reader: ArchiveReader
    courier: Courier
    routes: Routes
    watch: PrimaryWatch
    returns: Returns
    signer: Signer
    posts: Posts
    copies: Copies
    threads: Executor
    _rests: dict[str, _Rest] = field(default_factory=dict)

    async def make(self, claim: Claim, content_key: bytes | None) -> Result:
        """Try to deliver a claim. Raises StoreError when the store cannot serve now."""
        if content_key is None:
            return Result(claim, None, {}, tuple(Verdict(item, GONE) for item in claim.items))
        opened = await self._in_thread(lambda: self._open(claim, content_key))
        waits = self._waits_for(claim)
        tried = opened.broken is None and waits is None
        relief = False
        if opened.broken is not None:
            outcomes: Outcomes = dict.fromkeys(claim.item_ids, opened.broken)
        elif claim.kind == queue.PENDING:
            failed = await self._in_thread(lambda: self.posts.post(claim, opened.octets))
            if failed is None:
                return Result(claim, content_key, opened.envelopes, (), tried=False)
            outcomes = dict.fromkeys(claim.item_ids, failed)
        elif waits is not None:
            outcomes = dict.fromkeys(claim.item_ids, waits)
        else:
            outcomes = await self._file(claim, opened)
            if not outcomes:
                outcomes, relief = await self._deliver(claim, opened)
        now = utc_now()
        verdicts = tuple(self._verdict(item, outcomes[item.id], now) for item in claim.items)
        verdicts = await self._report(claim, opened, verdicts, now)
        return Result(claim, content_key, opened.envelopes, verdicts, tried, relief)

    def stumbled(self, claim: Claim, content_key: bytes | None) -> Result:
        """The result of an attempt that ended in an error of our own: put off, never given up."""
        now = utc_now()
        verdicts = tuple(
            Verdict(item, INTERNAL, self._again(item, now) or now + REPORT_DELAY)
            for item in claim.items
        )
        return Result(claim, content_key, {}, verdicts, tried=False)

    def _open(self, claim: Claim, content_key: bytes) -> _Opened:
        envelopes: dict[bytes, Envelope] = {}
        installation = self.reader.installation
        ours: Mapping[str, Domain] = {}
        try:
            key = queue_key(content_key)
            for item in claim.items:
                envelopes[item.id] = sealed.open_envelope(installation, item, key)
            if claim.kind == queue.OUTGOING:
                ours = self._ours(envelopes.values())
            if claim.message is None:
                return _Opened(envelopes, b"", ours, GONE)
            octets = self.reader.open(claim.message, content_key).octets
        except NotFound:
            return _Opened(envelopes, b"", ours, GONE)
        except FrameUnreadable:
            raise  # a disk that fails once must not fail the mail for good
        except (SealBroken, FrameBroken) as error:
            what = ids.show(claim.message_id)
            log.error("message %s is damaged: %s", what, error)  # noqa: TRY400 - its text says it
            return _Opened(envelopes, b"", ours, DAMAGED)
        return _Opened(envelopes, octets, ours)

    def _ours(self, envelopes: Iterable[Envelope]) -> Mapping[str, Domain]:
        names = {
            EmailAddress.parse(envelope.rcpt_to, literals=True).ascii_domain
            for envelope in envelopes
            if is_address(envelope.rcpt_to)
        }
        with self.db.read() as tx:
            return {d.name: d for d in tx.scalars(select(Domain).where(Domain.name.in_(names)))}

    def _waits_for(self, claim: Claim) -> Deferred | None:
        """Why it is not tried now."""
        if claim.kind not in TO_PRIMARY:
            return None
        if self.watch.keeps_back(claim.domain.id):
            return KEPT
        return DOWN if self.watch.is_down(claim.domain.id) else None

    async def _file(self, claim: Claim, opened: _Opened) -> Outcomes:
        """Put Sent copies into their folder; empty: by SMTP, as everything else."""
        if claim.kind != queue.SENT:
            return {}
        filed = {
            item.id: await self.copies.file(claim, opened.envelopes[item.id].rcpt_to, opened.octets)
            for item in claim.items
        }
        return {item_id: outcome for item_id, outcome in filed.items() if outcome is not None}

    async def _deliver(self, claim: Claim, opened: _Opened) -> tuple[Outcomes, bool]:
        outcomes: dict[bytes, Outcome] = {}
        relief = False
        legs: dict[str, tuple[Route, list[bytes]]] = {}
        for item in claim.items:
            route = await self._route(claim, opened, opened.envelopes[item.id].rcpt_to)
            if isinstance(route, Route):
                legs.setdefault(route.key, (route, []))[1].append(item.id)
            else:
                outcomes[item.id] = route
        ready: _Opened | None = None
        for route, item_ids in legs.values():
            rested = route.key in self._rests
            resting = self._resting(claim, route)
            if resting is not None:
                outcomes |= dict.fromkeys(item_ids, resting)
                continue
            ready = ready or await self._signed(claim, opened)
            outcomes |= await self._send(claim, ready, route, item_ids)
            relief = relief or (rested and route.key not in self._rests)
        return outcomes, relief

    async def _route(self, claim: Claim, opened: _Opened, recipient: str) -> Route | NoRoute:
        if claim.kind in TO_PRIMARY:
            return primary_route(claim.domain)
        if not is_address(recipient):
            return BAD_RECIPIENT
        address = EmailAddress.parse(recipient, literals=True)
        # What we say of an outage must not wait for the server that is out.
        ours = not any(envelope.mail_from for envelope in opened.envelopes.values())
        past = ours and self.watch.is_down(claim.domain.id)
        return await self.routes.outgoing(claim.domain, address, opened.ours, past_primary=past)

    async def _send(
        self, claim: Claim, opened: _Opened, route: Route, item_ids: Sequence[bytes]
    ) -> dict[bytes, Outcome]:
        envelopes = [opened.envelopes[item_id] for item_id in item_ids]
        parcel = Parcel(
            envelopes[0].mail_from,
            tuple(envelope.rcpt_to for envelope in envelopes),
            self._octets(claim, opened, envelopes[0]),
            envelopes[0].smtputf8,
            {envelope.rcpt_to: envelope.dsn for envelope in envelopes if envelope.dsn},
        )
        report = await self.courier.deliver(route, parcel)
        if claim.kind in TO_PRIMARY:
            await self.watch.note(claim.domain.id, report.reached)
        outcomes = {i: report.outcomes[e.rcpt_to] for i, e in zip(item_ids, envelopes, strict=True)}
        self._remember(route, report.reached.contact, next(iter(outcomes.values())))
        return outcomes

    def _resting(self, claim: Claim, route: Route) -> Deferred | None:
        rest = self._rests.get(route.key)
        if claim.kind == queue.OUTGOING and rest is not None and time.monotonic() < rest.until:
            return rest.last
        return None

    async def _signed(self, claim: Claim, opened: _Opened) -> _Opened:
        if claim.kind in TO_PRIMARY:
            return opened
        octets = await self._in_thread(lambda: self.signer.signed(claim, opened.octets))
        return replace(opened, octets=octets)

    def _octets(self, claim: Claim, opened: _Opened, envelope: Envelope) -> bytes:
        if claim.kind == queue.SENT:
            return self.copies.marked(opened.octets, envelope.rcpt_to)
        if claim.kind != queue.PRIMARY or claim.message is None:
            return opened.octets
        trace = received_line(
            helo=envelope.helo,
            client_ip=envelope.client_ip,
            protocol=envelope.protocol,
            by=self.config.hostname,
            mail_id=ids.show(claim.message_id),
            at=claim.message.received_at,
        )
        return trace + opened.octets

    def _remember(self, route: Route, contact: Contact, outcome: Outcome) -> None:
        if not contact.failed or not isinstance(outcome, Deferred):
            self._rests.pop(route.key, None)
            return
        if len(self._rests) >= _RESTS_MOST:
            self._rests.pop(next(iter(self._rests)))
        rest = self._rests.setdefault(route.key, _Rest())
        rest.until = time.monotonic() + min(_BACK_OFF * 2**rest.failures, _BACK_OFF_MOST)
        rest.failures += 1
        rest.last = outcome

    def _again(self, item: QueueItem, now: datetime) -> datetime | None:
        until = deadline(item.queued_at, item.day, self.config.keep)
        return next_attempt(now, item.attempts, until, _random.random())

    def _verdict(self, item: QueueItem, outcome: Outcome, now: datetime) -> Verdict:
        again = self._again(item, now) if isinstance(outcome, Deferred) else None
        return Verdict(item, outcome, again)

    async def _report(
        self, claim: Claim, opened: _Opened, verdicts: tuple[Verdict, ...], now: datetime
    ) -> tuple[Verdict, ...]:
        """Tell the sender what failed, and what went well if that was asked for.

        When that cannot be stored nothing has ended yet.
        """
        if claim.kind == queue.SENT:
            return verdicts  # its sender has the mail, and is shown what became of the copy
        try:
            verdicts = await self._late(opened, verdicts, now)
            told = [v for v in verdicts if _is_told(v, opened.envelopes.get(v.item.id))]
            if not told:
                return verdicts
            envelopes = [opened.envelopes[v.item.id] for v in told]
            about = [self._told(v, e) for v, e in zip(told, envelopes, strict=True)]
            await self.returns.send(claim, envelopes[0].mail_from, about, opened.octets, now)
        except StoreError as error:
            log.warning("the report of a delivery waits: %s", error)
            later = now + REPORT_DELAY
            return tuple(
                Verdict(v.item, INTERNAL, later) if v.over else replace(v, delayed=False)
                for v in verdicts
            )
        return verdicts

    async def _late(
        self, opened: _Opened, verdicts: tuple[Verdict, ...], now: datetime
    ) -> tuple[Verdict, ...]:
        """The verdicts, with the delays that senders are told of."""
        put_off = [v.item for v in verdicts if v.again_at is not None]
        late = [i for i in put_off if delays.is_late(i, opened.envelopes.get(i.id), now)]
        if not late:
            return verdicts
        found = await self._in_thread(lambda: delays.unnoticed(self.db, late))
        return tuple(replace(v, delayed=v.item.id in found) for v in verdicts)

    def _told(self, verdict: Verdict, envelope: Envelope) -> ReportedRecipient:
        item, wishes = verdict.item, envelope.dsn or NO_WISHES
        until = deadline(item.queued_at, item.day, self.config.keep) if verdict.delayed else None
        return ReportedRecipient(
            envelope.rcpt_to, verdict.outcome, verdict.expired, wishes, retried_until=until
        )

    async def _in_thread(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.threads, job)


def _is_told(verdict: Verdict, envelope: Envelope | None) -> bool:
    """Whether a report about this recipient is due (RFC 3461 section 5.2)."""
    if envelope is None:
        return False
    wishes = envelope.dsn or NO_WISHES
    if isinstance(verdict.outcome, Delivered):
        return wishes.of_success and not verdict.outcome.told
    return verdict.delayed or (verdict.over and wishes.of_failure)
