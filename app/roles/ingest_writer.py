"""The ingest role's other process: seals and stores what the door hands over by a socket.

Started by the ingest role with the number of its socket. It ends when the socket does and
no sooner, whatever signal comes: until then the door may have mail in hand.
"""

import contextlib
import logging
import select
import socket
import sys
from collections.abc import Sequence
from datetime import date
from time import monotonic

from app.audit import events
from app.audit.alarms import raise_alarm
from app.roles.process import Role, run_role
from app.roles.rinsing import wipe_small_pieces
from app.wiring import Parts
from archive_store import handover
from archive_store.clock import day_of, utc_now
from archive_store.config import StoreConfig
from archive_store.db import Database
from archive_store.errors import KeyForged, StoreBusy, StoreError
from archive_store.sealing import Incoming
from archive_store.segments.choice import examine_segments
from archive_store.writer import BATCH_OCTETS, BATCH_UNITS, OLD_KEYS_SECONDS, Outcome, Writer

log = logging.getLogger(__name__)
_RECEIVE_OCTETS = 256 * 1024

Numbered = tuple[int, list[Incoming]]


def main(role: Role) -> None:
    """Store until the door closes the socket."""
    examine_at_start(role.config.store)
    parts = Parts(role.config, role.name)
    writer = parts.writer(role.name)
    with socket.socket(fileno=int(role.arguments[0])) as link:
        role.ready()
        store_all(link, writer, ForgedKeys(parts.db, role.name))
    writer.close()
    parts.close()


def examine_at_start(store: StoreConfig) -> None:
    """ConfigError when the segments' place is unfit; one that is away now may come back."""
    try:
        examine_segments(store)
    except StoreBusy as error:
        log.warning("segments cannot be stored now: %s", error)


def store_all(link: socket.socket, writer: Writer, forged: "ForgedKeys") -> None:
    """Store what comes in batches: whatever has come by now shares one fsync and one commit."""
    requests, looked_at = Requests(link), monotonic()
    while not requests.ended:
        batch = requests.batch(OLD_KEYS_SECONDS)
        outcomes = writer.store([mails for _, mails in batch])
        answers = [
            handover.answer(number, outcome if isinstance(outcome, StoreError) else None)
            for (number, _), outcome in zip(batch, outcomes, strict=True)
        ]
        with contextlib.suppress(BrokenPipeError):  # the door is gone, and so is who asked it
            link.sendall(b"".join(answers))
        # After the answers: nobody waits for the alarm.
        forged.look_at(outcomes)
        # Also under load: else it would keep the keys of all who got mail since it was idle.
        if monotonic() - looked_at >= OLD_KEYS_SECONDS:
            writer.drop_old_keys()
            looked_at = monotonic()


class ForgedKeys:
    """Raises the alarm when a public key in the database turns out to be another's."""

    def __init__(self, db: Database, role: str) -> None:
        self._db = db
        self._role = role
        self._told: dict[tuple[str, bytes], date] = {}

    def look_at(self, outcomes: Sequence[Outcome]) -> None:
        """Raise it once a day and owner; what fails is tried with the next mail."""
        now = utc_now()
        for forged in outcomes:
            if not isinstance(forged, KeyForged):
                continue
            whose = forged.series, forged.owner_id
            if self._told.get(whose) == day_of(now):
                continue
            event = events.KeysForged(series=forged.series, owner_id=forged.owner_id)
            try:
                raise_alarm(self._db, event, self._role, now)
            except StoreError as error:
                log.warning("an alarm could not be recorded: %s", error)
            else:
                self._told[whose] = day_of(now)


class Requests:
    """The requests that arrive on a socket."""

    def __init__(self, link: socket.socket) -> None:
        self.ended = False
        self._link = link
        self._space = memoryview(bytearray(_RECEIVE_OCTETS))
        self._input = bytearray()

    def batch(self, seconds: float) -> Sequence[Numbered]:
        """Wait so long for a first one, then take what else is there already."""
        found: list[Numbered] = []
        octets = 0
        while len(found) < BATCH_UNITS and octets < BATCH_OCTETS:
            request = self._next()
            if request is not None:
                found.append(request)
                octets += len(request[1][0].octets)
            elif not self._receive(0 if found else seconds):
                if not found:
                    self._wipe()
                break
        return found

    def _next(self) -> Numbered | None:
        """The first request in hand, if it is all there."""
        start = handover.REQUEST.size
        if len(self._input) < start:
            return None
        number, head, mail = handover.REQUEST.unpack_from(self._input)
        end = start + head + mail
        if len(self._input) < end:
            return None
        view = memoryview(self._input)
        mails = handover.unit(bytes(view[start : start + head]), bytes(view[start + head : end]))
        view.release()
        del self._input[:end]
        return number, mails

    def _wipe(self) -> None:
        """Keep nothing of the last mails while no other comes."""
        self._space[:] = bytes(len(self._space))
        if not self._input:
            self._input = bytearray()  # an emptied one keeps its memory
        wipe_small_pieces()

    def _receive(self, seconds: float) -> bool:
        """Take what arrives; False when nothing did, or the other side is gone."""
        if self.ended or not select.select([self._link], [], [], seconds)[0]:
            return False
        count = self._link.recv_into(self._space)
        self._input += self._space[:count]
        self.ended = count == 0
        return count > 0


if __name__ == "__main__":
    sys.exit(run_role("ingest", main))
