"""The health of each domain's primary as it is written down, and what people see of it.

`apply` writes what `health` decided; a turn is an audit event and shows in the outages, and
when an outage ends what waits becomes due.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.audit import record
from app.audit.events import (
    Event,
    OutageChanged,
    OutageEnded,
    OutageStarted,
    ServerPrompt,
    ServerSlow,
)
from app.delivery import desk, health, outages, queue
from app.delivery.contact import Reached
from app.delivery.health import Health, State
from app.delivery.routes import primary
from app.models import Domain, PrimaryHealth, QueueItem
from app.viewer import Actor
from app.views import Banner, BannerState

RECOVERED_SHOWN = timedelta(minutes=15)

ACTOR = Actor.system("deliver")
ServerState = Literal["up", "slow", "down", "refusing", "unknown"]
_SHOWN: Mapping[State, ServerState] = {
    State.UP: "up",
    State.SLOW: "slow",
    State.DOWN: "down",
    State.REFUSING: "refusing",
}
_BANNERS: Mapping[str, BannerState] = {
    State.SLOW: "slow",
    State.DOWN: "down",
    State.REFUSING: "refusing",
    outages.DECLARED: "declared",
}


def stored(tx: Session) -> dict[bytes, Health]:
    """The health of every domain as it was last written."""
    rows = tx.scalars(select(PrimaryHealth))
    return {row.domain_id: health.known(State(row.state), row.since) for row in rows}


def apply(tx: Session, domain_id: bytes, seen: Health, reached: Reached, now: datetime) -> bool:
    """Write a domain's health; True when its state turned.

    Several workers may see the same turn: the first one records it.
    """
    domain = tx.get(Domain, domain_id)
    if domain is None:
        return False
    locked = select(PrimaryHealth).where(PrimaryHealth.domain_id == domain_id)
    row = tx.scalars(locked.with_for_update()).first()
    if row is None:
        row = PrimaryHealth(
            domain_id=domain_id, state=State.UP, since=now, checked_at=now, last_error=""
        )
        tx.add(row)
        tx.flush()
    row.checked_at = now
    row.last_error = reached.why
    turned = row.state != seen.state
    if turned:
        _turn(tx, domain, row, seen, now)
    tx.flush()
    return turned


def _turn(tx: Session, domain: Domain, row: PrimaryHealth, seen: Health, now: datetime) -> None:
    before, began = State(row.state), row.since
    row.state, row.since = seen.state, seen.since
    if before.is_outage and not seen.state.is_outage:
        queue.due_at_primary(tx, now, domain.id)
    outages.follow(tx, domain.id, before, seen.state, seen.since, now)
    for event in _events(domain.name, before, seen.state, now - began):
        record(tx, event, trail=domain.id, actor=ACTOR, at=now)


def _events(domain: str, before: State, after: State, lasted: timedelta) -> list[Event]:
    """What ended, then what began."""
    seconds = max(int(lasted.total_seconds()), 0)
    if before.is_outage and after.is_outage:
        return [OutageChanged(domain=domain, state=after)]
    events: list[Event] = []
    if before is State.SLOW:
        events.append(ServerPrompt(domain=domain, lasted_seconds=seconds))
    elif before.is_outage:
        events.append(OutageEnded(domain=domain, lasted_seconds=seconds))
    if after is State.SLOW:
        events.append(ServerSlow(domain=domain))
    elif after.is_outage:
        events.append(OutageStarted(domain=domain, state=after))
    return events


@dataclass(frozen=True, slots=True)
class PrimaryFacts:
    """What people are told of a domain's mail server."""

    state: ServerState
    since: datetime | None
    waiting: desk.Waiting
    last_error: str = ""

    @property
    def is_out(self) -> bool:
        """Nothing is handed to it now."""
        return self.state in ("down", "refusing")


def facts(tx: Session, domain_id: bytes) -> PrimaryFacts:
    """State, since when, and how much waits for it. "unknown": copy mode, or never tried."""
    waiting = desk.waiting(tx, domain_id, queue.PRIMARY)
    row = _row(tx, domain_id)
    if row is None:
        return PrimaryFacts("unknown", None, waiting)
    return PrimaryFacts(_SHOWN[State(row.state)], row.since, waiting, row.last_error)


def banner_for(tx: Session, domain_id: bytes, now: datetime) -> Banner | None:
    """What the pages show on top: an outage, one that just ended, or slow. None when all is well.

    Asked for by every page, so what waits is only counted when there is a banner.
    """
    told = outages.open_one(tx, domain_id)
    if told is not None and (told.opened_by or _row(tx, domain_id) is not None):
        state = _BANNERS[told.state]
        return Banner(state=state, since=told.opened_at, waiting=_waiting(tx, domain_id))
    row = _row(tx, domain_id)
    if row is None or State(row.state).is_outage:
        return None  # somebody closed the outage
    if outages.ended_after(tx, domain_id, now - RECOVERED_SHOWN):
        return Banner(state="recovered", since=row.since, waiting=_waiting(tx, domain_id))
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
