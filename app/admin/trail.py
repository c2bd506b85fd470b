"""The audit trail as a page, and as a file that proves itself.

The trail of a domain is for its administrators and auditors; a service provider's is the
installation's own. Who may see which is checked before anything here is called.
"""

import io
import logging
from datetime import datetime

from sqlalchemy.orm import Session

from app import audit
from app.accounts import users
from app.admin.lines import audit_line
from app.admin_views import AuditFilter, AuditPage
from app.audit.canonical import write_time
from app.audit.events import AuditExported
from app.audit.export import ExportRange, Signer, export
from app.audit.kinds import SOURCES
from app.audit.query import EventFilter, list_events
from app.audit.trail import AuditBroken
from app.viewer import Viewer
from archive_store.db import Database
from archive_store.errors import SealBroken

log = logging.getLogger(__name__)


def page(tx: Session, trail: bytes | None, wanted: AuditFilter) -> AuditPage:
    """One page of a trail, newest first."""
    actor = users.by_address(tx, wanted.person) if wanted.person else None
    if wanted.person and actor is None:
        return AuditPage(rows=(), kinds=SOURCES, total=0, page=1, pages=1)
    asked = EventFilter(
        kind=wanted.kind,
        actor_id=actor.id if actor else None,
        since=wanted.since,
        until=wanted.until,
    )
    found = list_events(tx, trail, asked, page=wanted.page)
    return AuditPage(
        rows=tuple(map(audit_line, found.entries)),
        kinds=SOURCES,
        total=found.total,
        page=found.page,
        pages=found.pages,
    )


def export_file(
    db: Database, viewer: Viewer, trail: bytes, wanted: AuditFilter, signer: Signer, now: datetime
) -> tuple[str, bytes]:
    """A file's name and octets: the range of days, whole. What a page leaves out by kind or by
    person is in it, or it would prove nothing. That it was taken is the newest event in it.
    """
    event = AuditExported(since=_text(wanted.since), until=_text(wanted.until))
    with db.write() as tx:
        audit.record(tx, event, trail=trail, actor=viewer.actor, at=now)
    name, out = viewer.user.domain_name, io.BytesIO()
    asked = ExportRange(trail=trail, domain=name, since=wanted.since, until=wanted.until)
    try:
        with db.read() as tx:
            export(tx, out, asked, signer, now)
    except AuditBroken as error:
        log.error("an audit trail does not prove itself: %s", error)  # noqa: TRY400 - it says which
        raise SealBroken("the audit trail does not prove itself") from error
    return f"audit-{name or 'installation'}-{now:%Y-%m-%d-%H%M%S}.jsonl", out.getvalue()


def _text(moment: datetime | None) -> str:
    return write_time(moment) if moment else ""
