"""Drafts in memory: each is a row of the mailbox and what was typed."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from app.viewer import Viewer
from app.views import Outgoing, SavedDraft
from archive_store.errors import NotFound, StoreError
from tests.app.web import sample

if TYPE_CHECKING:
    from tests.app.web.double import ReadingDouble


@dataclass
class DraftDouble:
    """`fails` is raised by the next saves."""

    reading: "ReadingDouble"
    kept: dict[str, Outgoing] = field(default_factory=dict)
    saves: int = 0
    fails: StoreError | None = None

    def save(self, viewer: Viewer, written: Outgoing, over: str | None) -> SavedDraft:
        if self.fails:
            raise self.fails
        self.saves += 1
        at = sample.NOW + timedelta(seconds=self.saves)
        draft_id = sample.entry_id(400 + self.saves)
        before = self.kept[over].attachments if over in self.kept and over else ()
        kept = tuple(before[one] for one in written.draft_files if one < len(before))
        alone = over is None or self.drop(viewer, over)
        letter = sample.arrived(written.subject)
        row = replace(letter.row, id=draft_id, folder="drafts", seen=True, received_at=at)
        self.reading.letters.insert(0, replace(letter, row=row))
        whole = replace(written, attachments=(*kept, *written.attachments), draft_files=())
        self.kept[draft_id] = replace(whole, draft=None)
        return SavedDraft(id=draft_id, at=at, alone=alone, files=whole.files)

    def open(self, viewer: Viewer, entry_id: str) -> Outgoing:
        if entry_id not in self.kept:
            raise NotFound("no such draft")
        return self.kept[entry_id]

    def drop(self, viewer: Viewer, entry_id: str) -> bool:
        if self.kept.pop(entry_id, None) is None:
            return False
        del self.reading.letters[self.reading.place_of(entry_id)]
        return True
