"""Legal holds as lists show them: whose mail, why, since when, how much; nothing of any mail."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.admin_views import HeldLine, HoldLine
from app.models import Domain, Hold
from archive_store import ids
from archive_store.models import HeldEntry, Mailbox


def active(tx: Session, domain_id: bytes | None, hold_id: bytes | None = None) -> list[HoldLine]:
    """The holds of a domain, or of all (None), newest first."""
    query = (
        select(Hold, Domain.name, Mailbox.address)
        .join(Domain, Domain.id == Hold.domain_id)
        .outerjoin(Mailbox, Mailbox.id == Hold.mailbox_id)
        .where(Hold.released_at.is_(None))
        .order_by(Hold.placed_at.desc(), Hold.id)
    )
    if domain_id is not None:
        query = query.where(Hold.domain_id == domain_id)
    if hold_id is not None:
        query = query.where(Hold.id == hold_id)
    return [_line(tx, hold, name, address or "") for hold, name, address in tx.execute(query)]


def messages(
    tx: Session, hold_id: bytes, *, limit: int | None = None, offset: int = 0
) -> list[HeldLine]:
    """What a hold holds, newest first."""
    query = (
        select(HeldEntry, Mailbox.address)
        .outerjoin(Mailbox, Mailbox.id == HeldEntry.mailbox_id)
        .where(HeldEntry.hold_id == hold_id)
        .order_by(HeldEntry.received_at.desc(), HeldEntry.entry_id)
    )
    return [
        HeldLine(
            id=ids.show(held.entry_id),
            address=address or "",
            received_at=held.received_at,
            size=held.size,
        )
        for held, address in tx.execute(query.limit(limit).offset(offset))
    ]


def _line(tx: Session, hold: Hold, domain: str, address: str) -> HoldLine:
    totals = select(func.count(), func.sum(HeldEntry.size)).where(HeldEntry.hold_id == hold.id)
    count, octets = tx.execute(totals).one()
    return HoldLine(
        id=ids.show(hold.id),
        domain=domain,
        address=address,
        reason=hold.reason,
        placed_by=hold.placed_by,
        placed_at=hold.placed_at,
        messages=count,
        octets=int(octets or 0),
    )
