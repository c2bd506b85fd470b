"""Outages in memory: acme has had one, and a slow hour."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from app.admin_views import OutageLine, OutagesPage
from app.login_views import OutsideView
from app.phrase import phrase
from app.secret import Secret
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
    tells: bool = False
    lines: list[OutageLine] = field(default_factory=lambda: [DOWN, SLOW])

    def page(self, viewer: Viewer, domain_id: str) -> OutagesPage:
        domain = self.admin.domain(viewer, domain_id)
        now = next((one for one in self.lines if one.closed_at is None), None)
        lines = tuple(self.lines)
        return OutagesPage(
            domain=domain, now=now, lines=lines, tells_outside=self.tells, copies_waiting=3
        )

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

    def set_notices(self, viewer: Viewer, domain_id: str, on: bool) -> str:
        name = self.admin.domain(viewer, domain_id).name
        self.tells = on
        return name


@dataclass
class OutsideDouble:
    """One person's address outside; the code is "right"."""

    view: OutsideView = field(default_factory=OutsideView)

    def outside(self, viewer: Viewer) -> OutsideView:
        return self.view

    def set_outside(self, viewer: Viewer, text: str) -> None:
        if text.endswith("@acme.example"):
            raise BadEntry("outside", phrase("That is not right. Try again."))
        self.view = OutsideView(state="asked", address=text)

    def confirm_outside(self, viewer: Viewer, code: Secret) -> None:
        if code.reveal() != "right":
            raise BadEntry("outside_code", phrase("That is not right. Try again."))
        self.view = replace(self.view, state="confirmed")

    def remove_outside(self, viewer: Viewer) -> None:
        self.view = OutsideView()
