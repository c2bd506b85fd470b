"""Who is owed a mail outside: a code to confirm the address, or word of an outage.

A domain asks for it (`outside-notices`). An outage is told once it has lasted TOLD_AFTER, or at
once when somebody opened it, and its end once it has lasted as long as an outage can go on after
(`outages.REOPENED_WITHIN`): a server that comes and goes makes one mail, not many. Nobody is told
of a second outage within LEAST_BETWEEN. Whoever dies between a claim and its mail leaves it to
the next one, a LEASE later: a mail twice, under the same Message-ID, rather than none.
Use cases take the open transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, CursorResult, Select, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from app.accounts import outside
from app.audit import record
from app.audit.events import OutsideTold
from app.delivery.health import State
from app.delivery.outages import REOPENED_WITHIN
from app.delivery.primaries import ACTOR
from app.models import Domain, Outage, OutsideAddress, OutsideNotice, User
from app.secret import Secret

TOLD_AFTER = timedelta(minutes=5)
LEAST_BETWEEN = timedelta(hours=1)
WORTH_TELLING = timedelta(days=1)  # an end that is older is old news
LEASE = timedelta(seconds=60)
AT_ONCE = 50  # mails in one turn

What = Literal["opened", "closed"]


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody whose address is to be confirmed."""

    user_id: bytes
    address: str  # the person's own
    domain_id: bytes
    row_id: bytes


@dataclass(frozen=True, slots=True)
class Telling:
    """One outage, and some people who are to be told of it."""

    what: What
    outage: Outage
    domain: Domain
    user_ids: tuple[bytes, ...]


def to_ask(tx: Session) -> list[Asking]:
    """People to whom a code is owed."""
    wanted = (
        select(OutsideAddress, User)
        .join(User, User.id == OutsideAddress.user_id)
        .where(
            OutsideAddress.sealed.is_not(None),
            OutsideAddress.confirmed_at.is_(None),
            OutsideAddress.code_sent_at.is_(None),
            User.domain_id.is_not(None),
        )
        .order_by(OutsideAddress.set_at)
        .limit(AT_ONCE)
    )
    return [
        Asking(user.id, user.address, user.domain_id or b"", row.id)
        for row, user in tx.execute(wanted)
    ]


def take_code(tx: Session, one: Asking, code: Secret, now: datetime) -> bool:
    """Write down that this code is mailed; False: another one is, or the address changed."""
    mine = update(OutsideAddress).where(
        OutsideAddress.user_id == one.user_id,
        OutsideAddress.id == one.row_id,
        OutsideAddress.code_sent_at.is_(None),
    )
    values = {"code_hash": outside.hash_of(one.row_id, code), "code_sent_at": now, "misses": 0}
    done = tx.execute(mine.values(**values))
    return isinstance(done, CursorResult) and done.rowcount == 1


def has_owed(tx: Session, now: datetime) -> bool:
    """Whether any outage may have to be told. Cheap: asked all day long."""
    recent = or_(Outage.closed_at.is_(None), Outage.closed_at > now - WORTH_TELLING)
    wanted = select(Outage.id).join(Domain, Domain.id == Outage.domain_id)
    return tx.scalar(wanted.where(Domain.outside_notices, recent).limit(1)) is not None


def claim(tx: Session, now: datetime) -> list[Telling]:
    """People to whom word is owed now, no more than AT_ONCE; whoever is told, and of what."""
    found: list[Telling] = []
    room = AT_ONCE
    for what, outage, domain in (*_open(tx, now), *_closed(tx, now)):
        if room < 1:
            break
        people = _untold(outage, now) if what == "opened" else _to_be_released(outage, now)
        user_ids = tuple(tx.scalars(people.limit(room)))
        for user_id in user_ids:
            row = tx.get(OutsideNotice, (outage.id, user_id))
            if row is None:
                row = OutsideNotice(outage_id=outage.id, user_id=user_id)
                tx.add(row)
            row.claimed_at = now
        room -= len(user_ids)
        if user_ids:
            found.append(Telling(what, outage, domain, user_ids))
    tx.flush()
    return found


def settle(tx: Session, told: Telling, user_ids: Sequence[bytes], now: datetime) -> None:
    """Their mail is in the queue."""
    theirs = OutsideNotice.outage_id == told.outage.id, OutsideNotice.user_id.in_(user_ids)
    column = "opening_at" if told.what == "opened" else "closing_at"
    tx.execute(update(OutsideNotice).where(*theirs).values({column: now}))
    event = OutsideTold(domain=told.domain.name, what=told.what, people=len(user_ids))
    record(tx, event, trail=told.domain.id, actor=ACTOR, at=now)


def _open(tx: Session, now: datetime) -> list[tuple[What, Outage, Domain]]:
    lasting = or_(Outage.opened_by != "", Outage.opened_at <= now - TOLD_AFTER)
    return [("opened", *pair) for pair in _outages(tx, Outage.closed_at.is_(None), lasting)]


def _closed(tx: Session, now: datetime) -> list[tuple[What, Outage, Domain]]:
    over = Outage.closed_at.between(now - WORTH_TELLING, now - REOPENED_WITHIN)
    waits = exists().where(
        OutsideNotice.outage_id == Outage.id,
        OutsideNotice.opening_at.is_not(None),
        OutsideNotice.closing_at.is_(None),
    )
    return [("closed", *pair) for pair in _outages(tx, over, waits)]


def _outages(tx: Session, *which: ColumnElement[bool]) -> list[tuple[Outage, Domain]]:
    """Locked, so that two workers do not tell the same people."""
    wanted = select(Outage, Domain).join(Domain, Domain.id == Outage.domain_id)
    wanted = wanted.where(
        Domain.enabled, Domain.outside_notices, Outage.state != State.SLOW, *which
    )
    found = tx.execute(wanted.with_for_update(of=Outage, skip_locked=True))
    return [(outage, domain) for outage, domain in found]


def _untold(outage: Outage, now: datetime) -> Select[bytes]:
    this, other = aliased(OutsideNotice), aliased(OutsideNotice)
    told = exists().where(
        this.outage_id == outage.id,
        this.user_id == User.id,
        or_(this.opening_at.is_not(None), this.claimed_at > now - LEASE),
    )
    lately = exists().where(
        other.outage_id != outage.id,
        other.user_id == User.id,
        other.opening_at > now - LEAST_BETWEEN,
    )
    return (
        select(User.id)
        .join(OutsideAddress, OutsideAddress.user_id == User.id)
        .where(
            User.domain_id == outage.domain_id,
            User.live,
            ~User.disabled,
            OutsideAddress.confirmed_at.is_not(None),
            ~told,
            ~lately,
        )
        .order_by(User.id)
    )


def _to_be_released(outage: Outage, now: datetime) -> Select[bytes]:
    return (
        select(OutsideNotice.user_id)
        .join(OutsideAddress, OutsideAddress.user_id == OutsideNotice.user_id)
        .where(
            OutsideNotice.outage_id == outage.id,
            OutsideNotice.opening_at.is_not(None),
            OutsideNotice.closing_at.is_(None),
            OutsideNotice.claimed_at <= now - LEASE,
            OutsideAddress.confirmed_at.is_not(None),
        )
        .order_by(OutsideNotice.user_id)
    )
