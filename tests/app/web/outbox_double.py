"""The outbox in memory: what was sent and can still be taken back."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from app.viewer import Viewer
from app.views import Outgoing, Scheduled, SentReceipt
from tests.app.web import sample
from tests.app.web.draft_double import DraftDouble

if TYPE_CHECKING:
    from tests.app.web.double import ReadingDouble


@dataclass
class OutboxDouble:
    """`gone`: everything has been sent meanwhile."""

    reading: "ReadingDouble"
    drafts: DraftDouble
    waiting: dict[str, tuple[Outgoing, datetime]] = field(default_factory=dict)
    sent_now: list[str] = field(default_factory=list)
    gone: bool = False

    def put(self, outgoing: Outgoing, leaves_at: datetime) -> SentReceipt:
        entry_id = sample.entry_id(500 + len(self.waiting))
        self.waiting[entry_id] = (outgoing, leaves_at)
        return SentReceipt(entry_id=entry_id, text="Sent.", leaves_at=leaves_at)

    def scheduled(self, viewer: Viewer) -> tuple[Scheduled, ...]:
        return tuple(
            Scheduled(
                row=replace(
                    sample.arrived(one.subject).row, id=entry_id, folder="outbox", to=(one.to,)
                ),
                leaves_at=leaves_at,
            )
            for entry_id, (one, leaves_at) in self.waiting.items()
        )

    def take_back(self, viewer: Viewer, entry_id: str) -> bool:
        if self.gone or entry_id not in self.waiting:
            return False
        outgoing, _ = self.waiting.pop(entry_id)
        self.drafts.kept[entry_id] = replace(outgoing, draft=None, draft_files=())
        letter = sample.arrived(outgoing.subject)
        row = replace(letter.row, id=entry_id, folder="drafts", seen=True)
        self.reading.letters.insert(0, replace(letter, row=row))
        return True

    def send_now(self, viewer: Viewer, entry_id: str) -> bool:
        if self.gone or entry_id not in self.waiting:
            return False
        self.sent_now.append(entry_id)
        return True
