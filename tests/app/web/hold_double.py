"""Legal holds in memory: a mailbox and a search are held, and Vlad's is the mailbox."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.admin_views import FoundToHold, HeldLine, HoldLine, HoldPage
from app.viewer import Viewer
from app.views import BadEntry
from archive_store.errors import NotFound, TooMany
from tests.app.web import sample
from tests.app.web.sample import NOW


def line(number: int, address: str, reason: str) -> HoldLine:
    return HoldLine(
        id=sample.entry_id(600 + number),
        domain="acme.example",
        address=address,
        reason=reason,
        placed_by="audit@acme.example",
        placed_at=NOW - timedelta(days=12),
        messages=2,
        octets=312_000,
    )


@dataclass
class HoldDouble:
    """What was placed is listed, what was released is gone."""

    lines: list[HoldLine] = field(
        default_factory=lambda: [
            line(0, "vlad@acme.example", "Matter 2026-7, Brightwater"),
            line(1, "", sample.LONG_WORD),
        ]
    )
    empty_pace: bool = False  # whether enough was opened in this minute

    def list_holds(self, viewer: Viewer) -> tuple[HoldLine, ...]:
        return tuple(self.lines)

    def hold(self, viewer: Viewer, hold_id: str, page: int = 1) -> HoldPage:
        for one in self.lines:
            if one.id == hold_id:
                rows = tuple(
                    HeldLine(
                        id=sample.entry_id(n),
                        address=one.address or "maria@acme.example",
                        received_at=NOW - timedelta(days=n),
                        size=4_000 * n,
                    )
                    for n in (1, 11)
                )
                return HoldPage(hold=one, rows=rows, page=page, pages=3)
        raise NotFound

    def place(self, viewer: Viewer, address: str, reason: str) -> str:
        if not address.endswith("@acme.example"):
            raise BadEntry("address", "Nobody of your domain has a mailbox with this address.")
        self.lines.insert(0, line(len(self.lines), address, reason))
        return self.lines[0].id

    def count_found(self, viewer: Viewer, address: str, words: str, reason: str) -> FoundToHold:
        if "befor:" in words:
            raise BadEntry("words", f"Not all of this makes sense as a search: {words}")
        return FoundToHold(messages=12, octets=3_400_000)

    def place_found(self, viewer: Viewer, address: str, words: str, reason: str) -> str:
        self.count_found(viewer, address, words, reason)
        return self.place(viewer, address, reason)

    def release(self, viewer: Viewer, hold_id: str, reason: str) -> None:
        if not reason:
            raise BadEntry("reason", "Say why.")
        self.lines.remove(self.hold(viewer, hold_id).hold)

    def original(self, viewer: Viewer, hold_id: str, entry_id: str) -> bytes:
        if self.empty_pace:
            raise TooMany
        self.hold(viewer, hold_id)
        return b"Subject: held\r\n\r\nbody\r\n"

    def held_since(self, viewer: Viewer) -> datetime | None:
        held = any(one.address == viewer.user.address for one in self.lines)
        return NOW - timedelta(days=12) if held else None
