"""Reading a trail page by page, newest first. Who may read it is for the caller to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.audit.canonical import AuditEntry, decode
from app.audit.trail import INSTALLATION
from app.models import AuditEvent

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What to list. `kind` is a whole name (message.opened) or a source (message)."""

    kind: str = ""
    actor_id: bytes | None = None
    since: datetime | None = None  # included
    until: datetime | None = None  # not included


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """One page of entries; `page` is from 1, and never beyond `pages`."""

    entries: tuple[AuditEntry, ...]
    total: int
    page: int
    pages: int


EVERYTHING = EventFilter()


def list_events(
    tx: Session,
    trail: bytes | None,
    wanted: EventFilter = EVERYTHING,
    *,
    page: int = 1,
    size: int = PAGE_SIZE,
) -> EventPage:
    """One page of a domain's trail (None: the installation's)."""
    conditions = _conditions(trail or INSTALLATION, wanted)
    total = tx.scalar(select(func.count()).select_from(AuditEvent).where(*conditions)) or 0
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    octets = tx.scalars(
        select(AuditEvent.octets)
        .where(*conditions)
        .order_by(AuditEvent.seq.desc())
        .limit(size)
        .offset((page - 1) * size)
    )
    return EventPage(
        entries=tuple(decode(row) for row in octets), total=total, page=page, pages=pages
    )


def _conditions(trail: bytes, wanted: EventFilter) -> Sequence[ColumnElement[bool]]:
    conditions = [AuditEvent.trail == trail]
    if "." in wanted.kind:
        conditions.append(AuditEvent.kind == wanted.kind)
    elif wanted.kind:
        conditions.append(AuditEvent.kind.startswith(wanted.kind + ".", autoescape=True))
    if wanted.actor_id is not None:
        conditions.append(AuditEvent.actor_id == wanted.actor_id)
    if wanted.since is not None:
        conditions.append(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(AuditEvent.at < wanted.until)
    return conditions
