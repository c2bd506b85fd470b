"""Leaving mailing lists in memory."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.leaving_views import Leaving
from app.viewer import Viewer
from archive_store.errors import NotFound

if TYPE_CHECKING:
    from tests.app.web.double import ReadingDouble


@dataclass
class ListDouble:
    """Keeps which list was left, and asks nobody."""

    reading: "ReadingDouble"
    left: list[str] = field(default_factory=list)
    takes: bool = True

    def offer(self, viewer: Viewer, entry_id: str) -> Leaving:
        leaving = self.reading.letters[self.reading.place_of(entry_id)].leaving
        if leaving is None:
            raise NotFound("no such list")
        return leaving

    def leave(self, viewer: Viewer, entry_id: str) -> bool:
        if not self.offer(viewer, entry_id).url:
            raise NotFound("no such press")
        self.left.append(entry_id)
        return self.takes
