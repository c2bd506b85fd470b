"""A writer in a thread of its own: 250 means safe.

`Archive.submit` takes the mails of one transaction as a unit. One thread gathers
all units in hand and stores them together: see `writer`.
"""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic

from archive_store.db import Database
from archive_store.errors import StoreError
from archive_store.sealing import Incoming, Sealer
from archive_store.segments import SegmentStore
from archive_store.writer import BATCH_OCTETS, BATCH_UNITS, OLD_KEYS_SECONDS, Outbox, Writer
from archive_store.writer import Stored as Stored
from archive_store.writer import Then as Then


@dataclass(slots=True)
class _Unit:
    mails: Sequence[Incoming]
    then: Then | None
    future: Future[list[Stored]]

    @property
    def octets(self) -> int:
        return sum(len(mail.octets) for mail in self.mails)


class Archive:
    """The one writer of this process. Close it before the process ends."""

    def __init__(
        self, db: Database, segments: SegmentStore, sealer: Sealer, outbox: Outbox
    ) -> None:
        self._writer = Writer(db, segments, sealer, outbox)
        self._units: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="archive-writer", daemon=True)
        self._thread.start()

    def submit(self, mails: Sequence[Incoming], then: Then | None = None) -> Future[list[Stored]]:
        """Store the mails of one transaction, all or none; done means durable.

        `then` is done in the same transaction, in the writer's thread, perhaps more than once.
        The future's error is a StoreError; none of the mails is stored then.
        """
        unit = _Unit(mails, then, Future())
        # Whoever waits may stop waiting; the mail is stored all the same, and a future
        # that was cancelled meanwhile would take the writer's thread with it.
        unit.future.set_running_or_notify_cancel()
        self._units.put(unit)
        return unit.future

    def close(self) -> None:
        """Finish what was submitted, then stop."""
        self._units.put(None)
        self._thread.join()
        self._writer.close()

    def _run(self) -> None:
        going_on, looked_at = True, monotonic()
        while going_on:
            try:
                first = self._units.get(timeout=OLD_KEYS_SECONDS)
                batch, going_on = self._gather(first)
                self._store_batch(batch)
            except queue.Empty:
                pass
            # Not only when nothing comes in: a busy process would keep the keys of all
            # who got mail since it was last idle.
            if monotonic() - looked_at >= OLD_KEYS_SECONDS:
                self._writer.drop_old_keys()
                looked_at = monotonic()

    def _gather(self, first: _Unit | None) -> tuple[list[_Unit], bool]:
        """Whatever is in hand now shares one fsync and one commit."""
        batch: list[_Unit] = []
        octets = 0
        unit = first
        while unit is not None:
            batch.append(unit)
            octets += unit.octets
            if len(batch) >= BATCH_UNITS or octets >= BATCH_OCTETS:
                return batch, True
            try:
                unit = self._units.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _store_batch(self, batch: list[_Unit]) -> None:
        outcomes = self._writer.store([unit.mails for unit in batch], [unit.then for unit in batch])
        for unit, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, StoreError):
                unit.future.set_exception(outcome)
            else:
                unit.future.set_result(outcome)
