"""The queue: items wait, are claimed by lease, and end as delivered, failed or dropped.

An item is a row from the transaction that gave the sender its 250. A worker claims it for
a while (the lease) and renews that while it works. A lease that ran out, because its
worker was killed, is claimed again by anybody: nothing is lost. So an item is delivered at
least once; it is delivered twice only when a worker dies between the primary's 250 and
our commit, or cannot renew its lease while it goes on delivering. SMTP knows no way to
close that gap (RFC 5321 section 6.1 prefers the duplicate, and so do we).

While an item is leased its `next_attempt_at` is the end of the lease, so that one index
answers what is due. Whatever ended loses its `wrap`: the mailbag opens it no more.
Every function works inside the caller's transaction; times are the caller's.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Table,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from app.models import Domain, QueueItem
from archive_store.bulk import BulkInsert
from archive_store.db import Utc
from archive_store.models import Message
from archive_store.sealing import SealedRelay

QUEUED, LEASED, HELD = "queued", "leased", "held"
DELIVERED, FAILED, DROPPED = "delivered", "failed", "dropped"
WAITING = (QUEUED, LEASED, HELD)
PRIMARY, OUTGOING = "primary", "outgoing"
SENT = "sent"  # a copy of what somebody sent, to the own mailbox on the primary
PENDING = "pending"  # what its writer may still take back: no server's yet, but ours to send

LEASE = timedelta(seconds=60)
SETTLED = timedelta(seconds=5)
PER_DESTINATION = 25  # messages in the hands of all workers together
RECIPIENTS = 100  # in one transaction (what every server must take, RFC 5321 section 4.5.3.1.8)
_WINDOW = 400  # rows looked at; a longer backlog is seen as it moves up

Kind = Literal["primary", "outgoing", "pending", "sent"]
Destination = tuple[bytes, str]
"""What a claim counts by: a domain's id and the kind of the item."""

_ITEMS = cast(Table, QueueItem.__table__)
_INSERT = BulkInsert(_ITEMS)


class Outbox:
    """The archive's port: puts sealed relays into the queue, in the archive's transaction."""

    def add(self, tx: Session, items: Sequence[SealedRelay]) -> None:
        """One bulk insert: this stands between a sender and its 250."""
        _INSERT.execute(tx, [_row(item) for item in items])


def _row(item: SealedRelay) -> dict[str, Any]:
    return {
        "id": item.id,
        "message_id": item.message_id,
        "domain_id": item.tenant_id,
        "entry_id": item.entry_id,
        "kind": item.kind,
        "state": QUEUED,
        "attempts": 0,
        "queued_at": item.queued_at,
        "next_attempt_at": item.not_before,
        "lease_owner": "",
        "day": item.day,
        "slot": item.slot,
        "writer_key_id": item.writer_key_id,
        "wrap": item.wrap,
        "envelope": item.envelope,
    }


@dataclass(frozen=True, slots=True)
class Claim:
    """The items of one message towards one destination: one SMTP transaction.

    The rows are detached: facts as they were when claimed. `message` is None when its
    octets have left before the item did.
    """

    message_id: bytes
    domain: Domain
    kind: Kind
    message: Message | None
    items: tuple[QueueItem, ...]

    @property
    def destination(self) -> Destination:
        """Whom it counts for."""
        return self.domain.id, self.kind

    @property
    def item_ids(self) -> tuple[bytes, ...]:
        return tuple(item.id for item in self.items)

    @property
    def size(self) -> int:
        """Octets of the message."""
        return self.message.size if self.message else 0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One message towards one destination, not yet claimed."""

    message_id: bytes
    domain_id: bytes
    kind: str

    @property
    def destination(self) -> Destination:
        return self.domain_id, self.kind


def has_due(tx: Session, now: datetime) -> bool:
    """Whether anything could be claimed. Answered from an index alone, so cheap to ask often."""
    return bool(tx.scalar(select(or_(*(exists().where(_due(s, now)) for s in (QUEUED, LEASED))))))


def claim(
    tx: Session,
    now: datetime,
    owner: str,
    limit: int,
    lease: timedelta = LEASE,
    *,
    thorough: bool = True,
) -> list[Claim]:
    """Lease at most `limit` messages that are due, the oldest first, few for each destination.

    With a long backlog for one destination the others are looked for behind it only when
    `thorough`, since that reads the backlog through. Two workers at once (PostgreSQL) skip
    each other's rows; both may give a destination its full share.
    """
    wanted = _expired(tx, now)
    full = Counter(_in_hand(tx, now))
    chosen = _choose(wanted, full, limit)
    window = _window(tx, now, _full(full))
    chosen += _choose(window, full, limit - len(chosen), known=chosen)
    if thorough and len(window) == _WINDOW and len(chosen) < limit:
        window = _window(tx, now, _full(full))
        chosen += _choose(window, full, limit - len(chosen), known=chosen)
    if not chosen:
        return []
    rows = _lease(tx, now, chosen, owner, now + lease)
    return _grouped(tx, rows)


def _due(state: str, now: datetime) -> ColumnElement[bool]:
    return and_(QueueItem.state == state, QueueItem.next_attempt_at <= now)


def _expired(tx: Session, now: datetime) -> list[_Wanted]:
    query = _wanted().where(_due(LEASED, now)).limit(_WINDOW)
    return [_Wanted(*row[1:]) for row in tx.execute(query)]


def _window(tx: Session, now: datetime, full: Collection[Destination]) -> list[_Wanted]:
    query = _wanted().where(_due(QUEUED, now))
    if full:
        query = query.where(tuple_(QueueItem.domain_id, QueueItem.kind).not_in(list(full)))
    query = query.order_by(QueueItem.next_attempt_at).limit(_WINDOW)
    return [_Wanted(*row[1:]) for row in tx.execute(query)]


def _wanted() -> Any:
    # FOR UPDATE only says something to PostgreSQL; SQLite has one writer at a time.
    columns = (QueueItem.id, QueueItem.message_id, QueueItem.domain_id, QueueItem.kind)
    return select(*columns).with_for_update(skip_locked=True)


def _in_hand(tx: Session, now: datetime) -> dict[Destination, int]:
    """How many messages each destination has in the hands of workers."""
    query = (
        select(
            QueueItem.domain_id,
            QueueItem.kind,
            func.count(QueueItem.message_id.distinct()),
        )
        .where(QueueItem.state == LEASED, QueueItem.next_attempt_at > now)
        .group_by(QueueItem.domain_id, QueueItem.kind)
    )
    return {(domain_id, kind): count for domain_id, kind, count in tx.execute(query)}


def _full(in_hand: Mapping[Destination, int]) -> list[Destination]:
    return [where for where, count in in_hand.items() if count >= PER_DESTINATION]


def _choose(
    wanted: Iterable[_Wanted],
    in_hand: Counter[Destination],
    room: int,
    known: Collection[_Wanted] = (),
) -> list[_Wanted]:
    """The first messages for which there is room; counts them as in hand."""
    chosen: dict[_Wanted, None] = {}
    for one in wanted:
        if one in chosen or one in known:
            continue
        if len(chosen) >= room:
            break
        if in_hand[one.destination] < PER_DESTINATION:
            chosen[one] = None
            in_hand[one.destination] += 1
    return list(chosen)


def _lease(
    tx: Session, now: datetime, chosen: Sequence[_Wanted], owner: str, until: datetime
) -> list[QueueItem]:
    """Take every due item of the chosen messages, so that one transaction carries them."""
    keys = [(one.message_id, one.domain_id, one.kind) for one in chosen]
    of_chosen = tuple_(QueueItem.message_id, QueueItem.domain_id, QueueItem.kind).in_(keys)
    due = or_(_due(QUEUED, now), _due(LEASED, now))
    columns = (QueueItem.id, QueueItem.message_id)
    found = tx.execute(select(*columns).where(of_chosen, due).with_for_update(skip_locked=True))
    ids: list[bytes] = []
    per_message: Counter[bytes] = Counter()
    for item_id, message_id in found:
        per_message[message_id] += 1
        if per_message[message_id] <= RECIPIENTS:
            ids.append(item_id)
    leased = (
        update(QueueItem)
        .where(QueueItem.id.in_(ids))
        .values(
            state=LEASED,
            lease_owner=owner,
            lease_until=until,
            next_attempt_at=until,
            # Counted now, not afterwards: a mail that kills its worker is seen to do so.
            attempts=QueueItem.attempts + 1,
        )
        .returning(QueueItem)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return list(tx.scalars(leased))


def _grouped(tx: Session, rows: Sequence[QueueItem]) -> list[Claim]:
    groups: dict[tuple[bytes, bytes, str], list[QueueItem]] = {}
    for row in sorted(rows, key=lambda row: (row.queued_at, row.id)):
        groups.setdefault((row.message_id, row.domain_id, row.kind), []).append(row)
    message_ids = {message_id for message_id, _, _ in groups}
    domain_ids = {domain_id for _, domain_id, _ in groups}
    messages = {m.id: m for m in tx.scalars(select(Message).where(Message.id.in_(message_ids)))}
    domains = {d.id: d for d in tx.scalars(select(Domain).where(Domain.id.in_(domain_ids)))}
    return [
        Claim(
            message_id,
            domains[domain_id],
            cast(Kind, kind),
            messages.get(message_id),
            tuple(items),
        )
        for (message_id, domain_id, kind), items in groups.items()
    ]


def renew(tx: Session, owner: str, item_ids: Iterable[bytes], until: datetime) -> None:
    """Go on holding these items, and no others: what a worker lost sight of runs out."""
    ids = list(item_ids)
    for start in range(0, len(ids), _WINDOW):
        some = QueueItem.id.in_(ids[start : start + _WINDOW])
        held = update(QueueItem).where(_mine(owner), some)
        tx.execute(held.values(lease_until=until, next_attempt_at=until))


def give_back(tx: Session, owner: str, item_ids: Collection[bytes], when: datetime) -> None:
    """Undo a claim of which nothing was tried."""
    tx.execute(
        update(QueueItem)
        .where(_mine(owner), QueueItem.id.in_(item_ids))
        .values(_freed(when) | {"attempts": QueueItem.attempts - 1})
    )


def lease_owners(tx: Session) -> set[str]:
    """Who holds leases now."""
    query = select(QueueItem.lease_owner).where(QueueItem.state == LEASED).distinct()
    return set(tx.scalars(query))


def free_dead(tx: Session, owners: Collection[str], now: datetime) -> None:
    """Make due what workers hold that are known to be dead, without waiting for the lease.

    A Sent copy waits until the mail server has surely ended what it was doing for the dead one:
    only then a look into the folder says whether the copy is there.
    """
    dead = update(QueueItem).where(QueueItem.state == LEASED, QueueItem.lease_owner.in_(owners))
    tx.execute(dead.where(QueueItem.kind != SENT).values(_freed(now)))
    soon = now + SETTLED  # still leased, so that nothing makes it due before
    copies = dead.where(QueueItem.kind == SENT, QueueItem.next_attempt_at > soon)
    tx.execute(copies.values(lease_until=soon, next_attempt_at=soon))


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt on one item ended; `reply` is sealed."""

    item_id: bytes
    reply: bytes | None
    again_at: datetime | None = None  # only when deferred
    told: datetime | None = None  # the sender, of a delay


def done(tx: Session, endings: Sequence[Ending], now: datetime) -> None:
    """They are at their destination: true whoever holds the lease by now."""
    # Not IN: a list cannot be bound when many rows are updated by one statement.
    _end(tx, endings, DELIVERED, now, or_(*(QueueItem.state == state for state in WAITING)))


def fail(tx: Session, owner: str, endings: Sequence[Ending], now: datetime) -> None:
    """They will never be delivered; the sender was told."""
    _end(tx, endings, FAILED, now, _mine(owner))


def defer(tx: Session, owner: str, endings: Sequence[Ending]) -> None:
    """Try them again at their time, unless somebody else holds them by now."""
    if not endings:
        return
    later = (
        update(_ITEMS)
        .where(_ITEMS.c.id == bindparam("item_id"), _mine(owner))
        .values(
            **_freed(bindparam("again_at")),
            last_reply=bindparam("reply"),
            told_at=func.coalesce(bindparam("told", type_=Utc()), _ITEMS.c.told_at),
        )
    )
    tx.connection().execute(later, [asdict(ending) for ending in endings])


def _end(
    tx: Session,
    endings: Sequence[Ending],
    state: str,
    now: datetime,
    still: ColumnElement[bool],
) -> None:
    if not endings:
        return
    ended = (
        update(_ITEMS)
        .where(_ITEMS.c.id == bindparam("item"), still)
        .values(last_reply=bindparam("reply"), **ended_as(state, now))
    )
    rows = [{"item": ending.item_id, "reply": ending.reply} for ending in endings]
    tx.connection().execute(ended, rows)


def ended_as(state: str, now: datetime) -> dict[str, Any]:
    """The columns of an item that is over. Without its wrap nobody opens it any more."""
    return {"state": state, "done_at": now, "lease_until": None, "lease_owner": "", "wrap": b""}


def _mine(owner: str) -> ColumnElement[bool]:
    return and_(QueueItem.state == LEASED, QueueItem.lease_owner == owner)


def _freed(when: Any) -> dict[str, Any]:
    return {"state": QUEUED, "lease_owner": "", "lease_until": None, "next_attempt_at": when}


def due_now(tx: Session, now: datetime, *, domain_id: bytes | None, kind: str | None = None) -> int:
    """Make due what waits for a retry; how many items that are.

    What was never tried is due by itself, or not before a time that its sender chose.
    """
    waiting = [QueueItem.state == QUEUED, QueueItem.attempts > 0, QueueItem.next_attempt_at > now]
    if domain_id is not None:
        waiting.append(QueueItem.domain_id == domain_id)
    if kind is not None:
        waiting.append(QueueItem.kind == kind)
    flushed = update(QueueItem).where(*waiting).values(next_attempt_at=now)
    return cast(CursorResult[Any], tx.execute(flushed)).rowcount


def due_at_primary(tx: Session, now: datetime, domain_id: bytes) -> int:
    """Make due what waits for a domain's own mail server; how many items that are."""
    return sum(due_now(tx, now, domain_id=domain_id, kind=kind) for kind in (PRIMARY, SENT))
