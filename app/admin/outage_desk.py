"""`OutageDesk`: what the pages may do with a domain's outages."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, cast

from sqlalchemy.orm import Session

from app.accounts import domains, outside
from app.accounts.permissions import Permission, require
from app.admin import lines
from app.admin.gate import Gate, read_id
from app.admin_views import OutageLine, OutagesPage
from app.delivery import desk, outages, queue
from app.models import Outage
from app.viewer import Viewer
from archive_store.clock import utc_now
from archive_store.db import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageParts:
    """What the use cases are made of."""

    db: Database
    now: Callable[[], datetime] = field(default=utc_now)


class OutageDesk:
    """The use cases. Safe to share between threads."""

    def __init__(self, parts: OutageParts) -> None:
        self._db = parts.db
        self._now = parts.now
        self._gate = Gate(parts.db, parts.now)

    def page(self, viewer: Viewer, domain_id: str) -> OutagesPage:
        """A domain with its outages."""
        wanted = read_id(domain_id)
        self._gate.require(viewer, Permission.CHANGE_DOMAIN, wanted)
        with self._gate.guarded(viewer), self._db.read() as tx:
            domain = domains.find(tx, viewer, wanted)
            told, now = outages.open_one(tx, domain.id), self._now()
            return OutagesPage(
                domain=lines.domain_line(tx, domain),
                now=outage_line(tx, told, now) if told else None,
                tells_outside=domain.outside_notices,
                copies_waiting=desk.waiting(tx, domain.id, queue.SENT).messages,
                confirmed=outside.count_confirmed(tx, domain.id),
                lines=tuple(outage_line(tx, one, now) for one in outages.latest(tx, domain.id)),
            )

    def open(self, viewer: Viewer, domain_id: str, reason: str, keeps_mail: bool) -> None:
        """Say that there is an outage."""
        with self._gate.guarded(viewer), self._db.write() as tx:
            domain = domains.find(tx, viewer, read_id(domain_id))
            outages.declare(tx, viewer, domain, reason, self._now(), keeps_mail=keeps_mail)

    def close(self, viewer: Viewer, domain_id: str, reason: str) -> None:
        """Say that it is over."""
        with self._gate.guarded(viewer), self._db.write() as tx:
            domain = domains.find(tx, viewer, read_id(domain_id))
            outages.withdraw(tx, viewer, domain, reason, self._now())

    def set_notices(self, viewer: Viewer, domain_id: str, on: bool) -> str:
        """Whether people are told at their addresses outside; the domain's name."""
        with self._gate.guarded(viewer), self._db.write() as tx:
            domain = domains.find(tx, viewer, read_id(domain_id))
            # Before a look at whether it is so already: nobody else learns even that.
            require(viewer, Permission.CHANGE_DOMAIN, domain.id)
            wanted = {"outside-notices": "on" if on else "off"}
            domains.change(tx, viewer, domain, wanted, self._now())
            return domain.name


def outage_line(tx: Session, outage: Outage, now: datetime) -> OutageLine:
    """An outage with its figures."""
    return OutageLine(
        state=cast(Literal["slow", "down", "refusing", "declared"], outage.state),
        opened_at=outage.opened_at,
        closed_at=outage.closed_at,
        opened_by=outage.opened_by,
        opened_why=outage.opened_why,
        closed_by=outage.closed_by,
        closed_why=outage.closed_why,
        keeps_mail=outage.keeps_mail,
        taken=outages.taken(tx, outage, now),
        waiting=outages.still_waiting(tx, outage, now),
    )
