"""Writes what became of attempts: the queue's rows and the mail log, in one transaction.

Log lines are sealed before the transaction begins. When there is no key to seal a line to
(the keys role has been away for long) the result is written without it: a mail that was
delivered must not be delivered again for want of a log line. For one thread.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.delivery import queue, sealed
from app.delivery.attempt import Result, Verdict
from app.delivery.outcome import Delivered
from archive_store.db import Database
from archive_store.directory import Owner
from archive_store.errors import KeyForged, KeysMissing, StoreError
from archive_store.maillog import LogEntry, seal_line
from archive_store.models import MaillogLine
from archive_store.reader import frame_ref
from archive_store.sealing import queue_key
from archive_store.segments import KeySlot, SegmentStore
from archive_store.segments.frame import wrap_position
from archive_store.writerkeys import WriterKeys

log = logging.getLogger(__name__)


class Ledger:
    """The worker's one writer of results."""

    def __init__(
        self, db: Database, segments: SegmentStore, writer_keys: WriterKeys, owner: str
    ) -> None:
        self._db = db
        self._segments = segments
        self._keys = writer_keys
        self._owner = owner

    def write(self, results: Sequence[Result], now: datetime) -> None:
        """Write these results, all or none. Raises StoreError."""
        with self._db.read() as tx:
            lines = [line for result in results for line in self._lines(tx, result, now)]
        # Before the rows: the item opens by its row as long as that is there, and a key in
        # the segment that no row remembers would outlive a final delete of the mail.
        self._erase_slots(results)
        try:
            with self._db.write() as tx:
                self._keys.add_rows(tx)
                tx.flush()
                self._write_endings(tx, results, now)
                if lines:
                    tx.execute(insert(MaillogLine.__table__), lines)  # type: ignore[arg-type]  # a Table
        except BaseException:
            self._keys.settle(committed=False)
            raise
        self._keys.settle(committed=True)

    def _erase_slots(self, results: Sequence[Result]) -> None:
        slots = [
            KeySlot(frame_ref(result.claim.message), wrap_position(verdict.item.slot))
            for result in results
            if result.claim.message is not None
            for verdict in result.verdicts
            if verdict.over or _is_delivered(verdict)
        ]
        try:
            self._segments.erase(slots)
        except StoreError as error:
            # Never a reason to deliver twice; the keys leave with their day.
            log.warning("the mailbag's keys of delivered mail stay: %s", error)

    def drop_old_keys(self, now: datetime) -> None:
        """Forget writer keys past their life."""
        self._keys.drop_old(now)

    def _write_endings(self, tx: Session, results: Sequence[Result], now: datetime) -> None:
        done: list[queue.Ending] = []
        failed: list[queue.Ending] = []
        deferred: list[queue.Ending] = []
        for result in results:
            for verdict in result.verdicts:
                ending = self._ending(result, verdict, now)
                if _is_delivered(verdict):
                    done.append(ending)
                elif verdict.over:
                    failed.append(ending)
                else:
                    deferred.append(ending)
        queue.done(tx, done, now)
        queue.fail(tx, self._owner, failed, now)
        queue.defer(tx, self._owner, deferred)
        for domain_id in {result.claim.domain.id for result in results if result.relief}:
            queue.due_now(tx, now, domain_id=domain_id, kind=queue.OUTGOING)

    def _ending(self, result: Result, verdict: Verdict, now: datetime) -> queue.Ending:
        reply = None
        if result.content_key is not None:
            installation = self._keys.public.installation
            item, key = verdict.item, queue_key(result.content_key)
            reply = sealed.seal_reply(installation, item, key, verdict.outcome)
        told = now if verdict.delayed else None
        return queue.Ending(verdict.item.id, reply, verdict.again_at, told)

    def _lines(self, tx: Session, result: Result, now: datetime) -> Iterator[dict[str, Any]]:
        entries = list(_entries(result))
        if not entries:
            return
        claim = result.claim
        try:
            key = self._keys.get(tx, Owner.log(claim.domain.id), now)
        except (KeysMissing, KeyForged) as error:
            log.error("no mail log line for a delivery: %s", error)  # noqa: TRY400 - its text says it
            return
        for entry in entries:
            yield seal_line(self._keys, key, claim.message_id, now, entry)


def _entries(result: Result) -> Iterator[LogEntry]:
    """One line for all recipients who had the same answer."""
    together: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in result.verdicts:
        # While a primary is down each mail says so once, not with every look at it.
        if result.tried or verdict.over or verdict.item.attempts <= 1:
            together.setdefault((_event(verdict), verdict.outcome.line), []).append(verdict)
    for (event, line), verdicts in together.items():
        envelopes = [result.envelopes.get(verdict.item.id) for verdict in verdicts]
        first = verdicts[0]
        yield LogEntry(
            event=event,
            mail_from=next((e.mail_from for e in envelopes if e is not None), ""),
            recipients=tuple(e.rcpt_to for e in envelopes if e is not None),
            size=result.claim.size,
            detail=line,
            more=_more(result, first),
        )


def _is_delivered(verdict: Verdict) -> bool:
    return isinstance(verdict.outcome, Delivered)


def _event(verdict: Verdict) -> str:
    if _is_delivered(verdict):
        return "handed-on"
    if verdict.expired:
        return "expired"
    return "failed" if verdict.over else "deferred"


def _more(result: Result, verdict: Verdict) -> dict[str, str]:
    outcome = verdict.outcome
    more = {
        "kind": result.claim.kind,
        "attempt": str(verdict.item.attempts),
        "server": outcome.server,
        "code": str(outcome.code or ""),
        "queue_id": outcome.queue_id if isinstance(outcome, Delivered) else "",
        "again_at": verdict.again_at.isoformat(timespec="seconds") if verdict.again_at else "",
    }
    return {name: value for name, value in more.items() if value}
