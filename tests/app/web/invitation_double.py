"""Answering invitations in memory."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from app.invitation_views import Participation
from app.phrase import Say, phrase
from app.viewer import Viewer
from app.views import BadDraft, SentReceipt
from archive_store.errors import NotFound
from tests.app.web import sample

if TYPE_CHECKING:
    from tests.app.web.double import ReadingDouble


@dataclass
class InvitationDouble:
    """Keeps what was answered, and tells nobody."""

    reading: "ReadingDouble"
    answers: list[tuple[str, Participation]] = field(default_factory=list)
    refuses: BadDraft | None = None

    def answer(self, viewer: Viewer, entry_id: str, answer: Participation, say: Say) -> SentReceipt:
        place = self.reading.place_of(entry_id)
        letter = self.reading.letters[place]
        if letter.invitation is None:
            raise NotFound("no invitation")
        if self.refuses:
            raise self.refuses
        self.answers.append((entry_id, answer))
        told = replace(letter.invitation, participation=answer)
        self.reading.letters[place] = replace(letter, invitation=told)
        text = phrase("Sent as %(identity)s. A copy is in Sent.", identity=told.own)
        return SentReceipt(entry_id=sample.entry_id(20), text=text)
