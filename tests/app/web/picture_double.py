"""Pictures from outside, without an outside."""

from dataclasses import dataclass, field
from typing import Protocol

from app.pictures.picture import Picture
from app.viewer import Viewer
from app.views import OpenMessage
from archive_store.errors import NotFound
from tests.app.web.sample import Letter


class Letters(Protocol):
    letters: list[Letter]

    def place_of(self, entry_id: str) -> int: ...


@dataclass
class PictureDouble:
    """Pictures by their addresses; what was asked for is noted."""

    there: dict[str, Picture] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def picture(self, url: str, reader: bytes) -> Picture | None:
        self.asked.append(url)
        return self.there.get(url)


@dataclass
class PictureSenderDouble:
    """Senders whose pictures are always shown, by their addresses."""

    reading: Letters
    chosen: set[str] = field(default_factory=set)

    def count(self, viewer: Viewer) -> int:
        return len(self.chosen)

    def shows(self, viewer: Viewer, opened: OpenMessage) -> bool:
        return self.shows_in(viewer, opened.row.id)

    def shows_in(self, viewer: Viewer, entry_id: str) -> bool:
        return self._confirmed(entry_id) in self.chosen

    def choose(self, viewer: Viewer, entry_id: str) -> None:
        sender = self._confirmed(entry_id)
        if not sender:
            raise NotFound("no confirmed sender")
        self.chosen.add(sender)

    def refuse(self, viewer: Viewer, entry_id: str) -> None:
        self.chosen.discard(self._confirmed(entry_id))

    def refuse_all(self, viewer: Viewer) -> None:
        self.chosen.clear()

    def _confirmed(self, entry_id: str) -> str:
        letter = self.reading.letters[self.reading.place_of(entry_id)]
        proven = letter.check is not None and letter.check.passed and letter.parsed.sender
        return letter.parsed.sender.address if proven and letter.parsed.sender else ""
