"""Whether a domain's primary mail server answers: the rules, its row, what people see of it.

`observe` decides, with hysteresis and without I/O: one success means up, and failures mean
down only when two lie apart (REFUSED_APART for a closed port, which is a clear answer;
SILENT_APART for everything else), so that a burst of parallel attempts, or a restart of
the server, is no outage. `apply` writes what was decided; an outage that begins or ends
is an audit event, and when it ends what waits becomes due.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from app.audit import record
from app.audit.events import OutageEnded, OutageStarted
from app.delivery import desk, queue
from app.delivery.contact import Contact, Reached
from app.delivery.routes import primary
from app.models import AuditEvent, Domain, PrimaryHealth, QueueItem
from app.viewer import Actor
from app.views import Banner

REFUSED_APART = timedelta(seconds=1)
SILENT_APART = timedelta(seconds=8)
RECOVERED_SHOWN = timedelta(minutes=15)
SLOW_AFTER = timedelta(minutes=5)

ACTOR = Actor.system("deliver")


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of one primary. `failures` have come without a success in between."""

    up: bool
    since: datetime
    failures: int = 0
    first_failure: datetime | None = None
    only_refused: bool = True

    @property
    def suspect(self) -> bool:
        """It failed, and is not yet held for down."""
        return self.up and self.failures > 0


@dataclass(frozen=True, slots=True)
class Started:
    """An outage began; nobody reached the server since `at`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """An outage is over."""

    began: datetime
    at: datetime


Turn = Started | Ended


def observe(health: Health, contact: Contact, now: datetime) -> tuple[Health, Turn | None]:
    """Take in one attempt. No I/O: same facts, same health."""
    if contact is Contact.ANSWERED:
        if health.up:
            return (replace(health, failures=0, first_failure=None, only_refused=True), None)
        return Health(up=True, since=now), Ended(health.since, now)
    first = health.first_failure or now
    only_refused = health.only_refused and contact is Contact.REFUSED
    failed = replace(
        health,
        failures=health.failures + 1,
        first_failure=first,
        only_refused=only_refused,
    )
    apart = REFUSED_APART if only_refused else SILENT_APART
    if health.up and failed.failures >= 2 and now - first >= apart:
        return replace(failed, up=False, since=first), Started(first)
    return failed, None


def stored(tx: Session) -> dict[bytes, Health]:
    """The health of every domain as it was last written."""
    rows = tx.scalars(select(PrimaryHealth))
    return {row.domain_id: Health(up=row.state == "up", since=row.since) for row in rows}


def apply(tx: Session, domain_id: bytes, health: Health, reached: Reached, now: datetime) -> bool:
    """Write a domain's health; True when this was the turn of an outage.

    Several workers may see the same turn: the first one records it.
    """
    domain = tx.get(Domain, domain_id)
    if domain is None:
        return False
    locked = select(PrimaryHealth).where(PrimaryHealth.domain_id == domain_id)
    row = tx.scalars(locked.with_for_update()).first()
    if row is None:
        row = PrimaryHealth(
            domain_id=domain_id, state="up", since=now, checked_at=now, last_error=""
        )
        tx.add(row)
        tx.flush()
    row.checked_at = now
    row.last_error = reached.why
    turned = (row.state == "up") is not health.up
    if turned:
        _turn(tx, domain, row, health, now)
    tx.flush()
    return turned


def _turn(tx: Session, domain: Domain, row: PrimaryHealth, health: Health, now: datetime) -> None:
    began = row.since
    row.state = "up" if health.up else "down"
    row.since = health.since
    if health.up:
        queue.due_now(tx, now, domain_id=domain.id, kind=queue.PRIMARY)
        lasted = max(int((now - began).total_seconds()), 0)
        ended = OutageEnded(domain=domain.name, lasted_seconds=lasted)
        record(tx, ended, trail=domain.id, actor=ACTOR, at=now)
    else:
        record(tx, OutageStarted(domain=domain.name), trail=domain.id, actor=ACTOR, at=now)


@dataclass(frozen=True, slots=True)
class PrimaryFacts:
    """What people are told of a domain's mail server."""

    state: Literal["up", "down", "unknown"]
    since: datetime | None
    waiting: desk.Waiting
    last_error: str = ""


def facts(tx: Session, domain_id: bytes) -> PrimaryFacts:
    """State, since when, and how much waits for it. "unknown": copy mode, or never tried."""
    waiting = desk.waiting(tx, domain_id, queue.PRIMARY)
    row = _row(tx, domain_id)
    if row is None:
        return PrimaryFacts("unknown", None, waiting)
    state: Literal["up", "down"] = "up" if row.state == "up" else "down"
    return PrimaryFacts(state, row.since, waiting, row.last_error)


def banner_for(tx: Session, domain_id: bytes, now: datetime) -> Banner | None:
    """What the pages show on top: down, just recovered, or slow. None when all is well.

    Asked for by every page, so what waits is only counted when there is a banner.
    """
    row = _row(tx, domain_id)
    if row is not None and row.state == "down":
        return Banner(state="down", since=row.since, waiting=_waiting(tx, domain_id))
    if row is not None and _ended_lately(tx, domain_id, now):
        return Banner(state="recovered", since=row.since, waiting=_waiting(tx, domain_id))
    oldest = tx.scalar(select(func.min(QueueItem.queued_at)).where(*_for_primary(domain_id)))
    if oldest is not None and oldest < now - SLOW_AFTER:
        return Banner(state="slow", since=oldest, waiting=_waiting(tx, domain_id))
    return None


def _row(tx: Session, domain_id: bytes) -> PrimaryHealth | None:
    """The row of a domain that has a primary: in copy mode an old one says nothing."""
    domain = tx.get(Domain, domain_id)
    if domain is None or primary(domain) is None:
        return None
    return tx.get(PrimaryHealth, domain_id)


def _for_primary(domain_id: bytes) -> tuple[ColumnElement[bool], ...]:
    return (
        QueueItem.domain_id == domain_id,
        QueueItem.state.in_(queue.WAITING),
        QueueItem.kind == queue.PRIMARY,
    )


def _waiting(tx: Session, domain_id: bytes) -> int:
    """Messages, not recipients."""
    messages = func.count(QueueItem.message_id.distinct())
    return tx.scalar(select(messages).where(*_for_primary(domain_id))) or 0


def _ended_lately(tx: Session, domain_id: bytes, now: datetime) -> bool:
    # A server that is up because it was never seen down has recovered from nothing.
    ended = exists().where(
        AuditEvent.trail == domain_id,
        AuditEvent.kind == OutageEnded.name,
        AuditEvent.at > now - RECOVERED_SHOWN,
    )
    return bool(tx.scalar(select(ended)))
