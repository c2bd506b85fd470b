"""Outages in memory: acme has had one, and a slow hour."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from app.admin_views import OutageLine, OutagesPage
from app.viewer import Viewer
from app.views import BadEntry
from tests.app.web.admin_double import AdminDouble
from tests.app.web.sample import NOW

DOWN = OutageLine(
    state="down",
    opened_at=NOW - timedelta(hours=30),
    closed_at=NOW - timedelta(hours=28),
    opened_by="",
    opened_why="",
    closed_by="",
    closed_why="",
    keeps_mail=False,
    taken=1204,
    waiting=0,
)
SLOW = replace(DOWN, state="slow", opened_at=NOW - timedelta(days=3), taken=80)


@dataclass
class OutageDouble:
    """One can be opened, and closed again."""

    admin: AdminDouble
    lines: list[OutageLine] = field(default_factory=lambda: [DOWN, SLOW])

    def page(self, viewer: Viewer, domain_id: str) -> OutagesPage:
        domain = self.admin.domain(viewer, domain_id)
        now = next((one for one in self.lines if one.closed_at is None), None)
        return OutagesPage(domain=domain, now=now, lines=tuple(self.lines))

    def open(self, viewer: Viewer, domain_id: str, reason: str, keeps_mail: bool) -> None:
        if not reason:
            raise BadEntry("reason", "Say why.")
        opened = replace(
            DOWN,
            state="declared",
            opened_at=NOW,
            closed_at=None,
            opened_by=viewer.user.address,
            opened_why=reason,
            keeps_mail=keeps_mail,
        )
        self.lines.insert(0, opened)

    def close(self, viewer: Viewer, domain_id: str, reason: str) -> None:
        who = viewer.user.address
        self.lines[0] = replace(self.lines[0], closed_at=NOW, closed_by=who, closed_why=reason)
