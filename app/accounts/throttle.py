"""How often a log-in may be tried (OWASP ASVS 5.0 section 6.3), kept in the database.

Three counts of failures: of an account from one network, of an account from all networks
where its owner has never logged in, and of a network over all accounts. Each allows some
failures freely, then makes the next attempt wait twice as long each time, up to a limit.
An owner on a known network, or in a known browser, meets only the first count, so nobody
elsewhere can lock the owner out; a passkey meets none. An attempt is counted before the
password is looked at and given back when it was right: parallel guesses gain nothing.

An address that names no account is counted like one that does, or the answer would tell.
It is kept as 16 bits of a hash only: people type passwords into that field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from app.models import KnownNetwork, LoginThrottle
from app.upsert import insert_if_absent
from archive_store import ids

NETWORK_KNOWN_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Limit:
    """`free` failures, then waits of 1, 2, 4 ... seconds up to `longest`."""

    free: int
    longest: timedelta
    forgotten_after: timedelta

    def wait(self, failures: int, last_at: datetime, now: datetime) -> timedelta:
        """How long until the next attempt; zero: now."""
        if failures < self.free or self.is_over(last_at, now):
            return timedelta()
        # 2**20 seconds are past every limit: no need to raise to a huge power.
        pause = min(timedelta(seconds=2 ** min(failures - self.free, 20)), self.longest)
        return max(last_at + pause - now, timedelta())

    def is_over(self, last_at: datetime, now: datetime) -> bool:
        """Whether the failures are so long ago that they count no more."""
        return now - last_at >= self.forgotten_after


PAIR = Limit(5, timedelta(minutes=15), timedelta(days=1))
ACCOUNT = Limit(20, timedelta(minutes=15), timedelta(days=1))
NETWORK = Limit(100, timedelta(minutes=1), timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Count:
    """One row, and the limit that it is held against."""

    key: str
    limit: Limit


@dataclass(frozen=True, slots=True)
class Refusal:
    """An attempt that must wait. `first`: nobody was told of this wait before."""

    wait: timedelta
    first: bool


def counts_for(
    tx: Session, user_id: bytes | None, typed_key: str, network: str, now: datetime
) -> tuple[Count, ...]:
    """The counts that an attempt meets."""
    account = ids.show(user_id) if user_id else _stand_in(typed_key)
    pair = Count(f"pair {account} {network}", PAIR)
    if user_id is not None and is_known(tx, user_id, network, now):
        return (pair,)
    return (pair, Count(f"account {account}", ACCOUNT), Count(f"network {network}", NETWORK))


def own_count(user_id: bytes, network: str) -> tuple[Count, ...]:
    """The one count that somebody meets who is known to belong to the account."""
    return (Count(f"pair {ids.show(user_id)} {network}", PAIR),)


def nonsense_count(network: str) -> tuple[Count, ...]:
    """What a network sends as passkeys that are none: it counts for the audit trail alone."""
    return (Count(f"passkeys {network}", NETWORK),)


def waiting(tx: Session, counts: Sequence[Count], now: datetime) -> timedelta:
    """How long the next attempt must wait; a look that changes nothing."""
    rows = {row.key: row for row in tx.scalars(_rows(counts))}
    waits = [
        count.limit.wait(rows[count.key].failures, rows[count.key].last_at, now)
        for count in counts
        if count.key in rows
    ]
    return max(waits, default=timedelta())


def is_noted(tx: Session, counts: Sequence[Count]) -> bool:
    """Whether the audit trail has the present wait already."""
    return any(row.noted for row in tx.scalars(_rows(counts)))


def charge(tx: Session, counts: Sequence[Count], now: datetime) -> Refusal | None:
    """Count an attempt as failed before it is made; or refuse it, which is not counted."""
    rows = _held(tx, counts, now)
    wait = waiting(tx, counts, now)
    if wait:
        first = not any(row.noted for row in rows.values())
        for row in rows.values():
            row.noted = True
        return Refusal(wait, first)
    for count in counts:
        row = rows[count.key]
        row.failures = 1 if count.limit.is_over(row.last_at, now) else row.failures + 1
        row.last_at = now
        row.noted = False
    return None


def _held(tx: Session, counts: Sequence[Count], now: datetime) -> dict[str, LoginThrottle]:
    """The row of each count, locked until the end of the transaction."""
    # In the order of keys, so that two attempts never wait for each other's rows.
    locked = _rows(counts).order_by(LoginThrottle.key).with_for_update()
    rows: dict[str, LoginThrottle] = {}
    # A right password that is forgiven meanwhile takes a row away after it was found here.
    while len(rows) < len({count.key for count in counts}):
        for count in counts:
            insert_if_absent(tx, LoginThrottle, key=count.key, failures=0, last_at=now, noted=False)
        rows = {row.key: row for row in tx.scalars(locked)}
    return rows


def forgive(tx: Session, counts: Sequence[Count]) -> None:
    """The password was right: this network's failures for the account are forgotten, the
    other counts only get this attempt back; an attacker goes on being counted there.
    """
    for row in tx.scalars(_rows(counts).with_for_update()):
        if row.key.startswith("pair "):
            tx.delete(row)
        else:
            row.failures = max(0, row.failures - 1)


def refund(tx: Session, counts: Sequence[Count]) -> None:
    """The password was never looked at: as if the attempt had not been made."""
    for row in tx.scalars(_rows(counts).with_for_update()):
        row.failures = max(0, row.failures - 1)


def is_known(tx: Session, user_id: bytes, network: str, now: datetime) -> bool:
    """Whether this person has logged in from there before, not too long ago."""
    known = tx.get(KnownNetwork, (user_id, network))
    return known is not None and now - known.seen_at < NETWORK_KNOWN_FOR


def remember(tx: Session, user_id: bytes, network: str, now: datetime) -> bool:
    """Note a network from which a log-in succeeded; True when it was new."""
    was_known = is_known(tx, user_id, network, now)
    insert_if_absent(tx, KnownNetwork, user_id=user_id, network=network, seen_at=now)
    tx.get_one(KnownNetwork, (user_id, network)).seen_at = now
    return not was_known


def purge(tx: Session, now: datetime) -> None:
    """Forget failures and networks that are long past."""
    longest = max(limit.forgotten_after for limit in (PAIR, ACCOUNT, NETWORK))
    tx.execute(delete(LoginThrottle).where(LoginThrottle.last_at < now - longest))
    tx.execute(delete(KnownNetwork).where(KnownNetwork.seen_at < now - NETWORK_KNOWN_FOR))


def _rows(counts: Sequence[Count]) -> Select[LoginThrottle]:
    return select(LoginThrottle).where(LoginThrottle.key.in_([count.key for count in counts]))


def _stand_in(typed_key: str) -> str:
    return "?" + hashlib.sha256(typed_key.encode("utf-8", "replace")).hexdigest()[:4]
