"""Outages as records: what people were told of a domain's mail server, from when until when.

The product opens and closes them as the health of the server turns. An administrator's word is
stronger: an outage that somebody opened stays until somebody closes it, and one that somebody
closed is not opened again until the server has been well in between. While an outage says
`keeps_mail` nothing is handed on; else mail is tried as the server's own health allows.

A server that fails again within REOPENED_WITHIN goes on with the same outage. Use cases take the
open transaction, never commit, and record their audit event inside it.
"""

from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from app.accounts.errors import Invalid
from app.accounts.permissions import Permission, require
from app.audit import record
from app.audit.events import OutageClosed, OutageDeclared
from app.delivery import queue, webhooks
from app.delivery.health import State
from app.models import Domain, Outage, QueueItem
from app.phrase import phrase
from app.viewer import Actor, Viewer
from archive_store import ids
from archive_store.clock import day_of
from archive_store.models import Message

DECLARED = "declared"
SENT_HERE = (queue.OUTGOING, queue.SENT)
REOPENED_WITHIN = timedelta(minutes=2)
LONGEST_REASON = 500
NO_REASON = phrase("say why: the reason stands in the timeline and in the audit trail")
LONG_REASON = phrase("a reason has %(most)s characters at most", most=LONGEST_REASON)
OPEN_ALREADY = phrase("somebody has opened this outage already")
NONE_OPEN = phrase("no outage is open")


def open_one(tx: Session, domain_id: bytes) -> Outage | None:
    """The outage, or slow time, that is not over."""
    mine = Outage.domain_id == domain_id, Outage.closed_at.is_(None)
    return tx.scalars(select(Outage).where(*mine).order_by(Outage.opened_at.desc())).first()


def latest(tx: Session, domain_id: bytes, limit: int = 50) -> list[Outage]:
    """The newest first."""
    mine = select(Outage).where(Outage.domain_id == domain_id)
    return list(tx.scalars(mine.order_by(Outage.opened_at.desc(), Outage.id).limit(limit)))


def ended_after(tx: Session, domain_id: bytes, moment: datetime) -> bool:
    """Whether an outage, not a slow time, was closed since."""
    mine = Outage.domain_id == domain_id, Outage.closed_at > moment, Outage.state != State.SLOW
    return bool(tx.scalar(select(exists().where(*mine))))


def keeping(tx: Session) -> set[bytes]:
    """The domains whose mail is kept back until somebody closes their outage."""
    kept = Outage.closed_at.is_(None), Outage.keeps_mail
    return set(tx.scalars(select(Outage.domain_id).where(*kept)))


def follow(
    tx: Session, domain_id: bytes, before: State, state: State, since: datetime, now: datetime
) -> None:
    """Open, change or close what is told, as the server's health turned."""
    told = _locked(tx, domain_id)
    if told is not None and told.opened_by:
        told.state = state if state.is_outage else DECLARED
        return
    if told is not None:
        if before.is_outage and state.is_outage:
            told.state = state
            webhooks.tell(tx, "outage.changed", told, now)
            return
        _close(tx, told, now)
    elif before.is_outage and state.is_outage:
        return  # somebody has closed it
    if state is State.UP:
        return
    again = _lately_closed(tx, domain_id, state, since)
    if again is not None:
        again.closed_at, again.taken, again.state = None, None, state
    else:
        again = Outage(id=ids.new_id(), domain_id=domain_id, state=state, opened_at=since)
        tx.add(again)
    tx.flush()
    webhooks.tell(tx, _kind(again, "opened"), again, now)


def declare(
    tx: Session,
    who: Viewer | Actor,
    domain: Domain,
    reason: str,
    now: datetime,
    *,
    keeps_mail: bool = False,
) -> Outage:
    """Say that there is an outage. One that is going on lasts until somebody closes it, too."""
    actor = require(who, Permission.CHANGE_DOMAIN, domain.id)
    why = _checked(reason)
    told = _locked(tx, domain.id)
    if told is not None and told.opened_by:
        raise Invalid("reason", OPEN_ALREADY)
    if told is not None and told.state == State.SLOW:
        _close(tx, told, now)
        told = None
    if told is None:
        told = Outage(id=ids.new_id(), domain_id=domain.id, state=DECLARED, opened_at=now)
        tx.add(told)
    began = told.state == DECLARED
    told.opened_by, told.opened_why, told.keeps_mail = actor.address, why, keeps_mail
    tx.flush()
    webhooks.tell(tx, "outage.opened" if began else "outage.changed", told, now)
    event = OutageDeclared(domain=domain.name, reason=why, keeps_mail=keeps_mail)
    record(tx, event, trail=domain.id, actor=actor, at=now)
    return told


def withdraw(
    tx: Session, who: Viewer | Actor, domain: Domain, reason: str, now: datetime
) -> Outage:
    """Say that the outage is over, whoever opened it. What waits is tried, if the server is up."""
    actor = require(who, Permission.CHANGE_DOMAIN, domain.id)
    why = _checked(reason)
    told = _locked(tx, domain.id)
    if told is None or told.state == State.SLOW:
        raise Invalid("reason", NONE_OPEN)
    told.closed_by, told.closed_why = actor.address, why
    _close(tx, told, now)
    queue.due_at_primary(tx, now, domain.id)
    lasted = int((now - told.opened_at).total_seconds())
    event = OutageClosed(domain=domain.name, reason=why, lasted_seconds=max(lasted, 0))
    record(tx, event, trail=domain.id, actor=actor, at=now)
    return told


def taken(tx: Session, outage: Outage, now: datetime) -> int:
    """Messages that came in meanwhile; those that people here sent are not among them."""
    if outage.taken is not None:
        return outage.taken
    until = outage.closed_at or now
    sent = exists().where(QueueItem.message_id == Message.id, QueueItem.kind.in_(SENT_HERE))
    counted = select(func.count()).where(
        Message.tenant_id == outage.domain_id,
        Message.day.between(day_of(outage.opened_at), day_of(until)),
        Message.received_at.between(outage.opened_at, until),
        ~sent,
    )
    return tx.scalar(counted) or 0


def still_waiting(tx: Session, outage: Outage, now: datetime) -> int:
    """Messages of that time that have not reached the mail server yet."""
    counted = select(func.count(QueueItem.message_id.distinct())).where(
        QueueItem.domain_id == outage.domain_id,
        QueueItem.state.in_(queue.WAITING),
        QueueItem.kind == queue.PRIMARY,
        QueueItem.queued_at.between(outage.opened_at, outage.closed_at or now),
    )
    return tx.scalar(counted) or 0


def _locked(tx: Session, domain_id: bytes) -> Outage | None:
    """The open one; nobody else opens or closes one of the domain meanwhile."""
    tx.execute(select(Domain.id).where(Domain.id == domain_id).with_for_update())
    return open_one(tx, domain_id)


def _close(tx: Session, outage: Outage, now: datetime) -> None:
    outage.closed_at = max(now, outage.opened_at)
    outage.taken = taken(tx, outage, now)
    tx.flush()
    webhooks.tell(tx, _kind(outage, "closed"), outage, now)


def _kind(outage: Outage, what: str) -> str:
    """Slow times have names of their own: nobody is to be woken for them."""
    return f"{'slow' if outage.state == State.SLOW else 'outage'}.{what}"


def _lately_closed(tx: Session, domain_id: bytes, state: State, since: datetime) -> Outage | None:
    """The last one, if the product closed it a moment ago and it was of this sort."""
    for last in latest(tx, domain_id, 1):
        alike = (last.state == State.SLOW) is (state is State.SLOW)
        lately = last.closed_at is not None and last.closed_at > since - REOPENED_WITHIN
        if alike and lately and not last.closed_by:
            return last
    return None


def _checked(reason: str) -> str:
    why = " ".join(reason.split())
    if not why:
        raise Invalid("reason", NO_REASON)
    if len(why) > LONGEST_REASON:
        raise Invalid("reason", LONG_REASON)
    return why
