"""What a card above a message needs of the inside: an invitation, a mailing list."""

from typing import Protocol

from app.invitation_views import Participation
from app.leaving_views import Leaving
from app.phrase import Say
from app.viewer import Viewer
from app.views import SentReceipt


class InvitationService(Protocol):
    """Answers to invitations."""

    def answer(self, viewer: Viewer, entry_id: str, answer: Participation, say: Say) -> SentReceipt:
        """Tell the organiser; NotFound when the viewer cannot. Raises BadDraft as `send` does."""


class ListService(Protocol):
    """Leaving a mailing list."""

    def offer(self, viewer: Viewer, entry_id: str) -> Leaving:
        """Raises `NotFound` for a mail that offers no way."""

    def leave(self, viewer: Viewer, entry_id: str) -> bool:
        """Press; whether it was taken. Raises `NotFound` where there is nothing to press."""
