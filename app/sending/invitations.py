"""Answering an invitation: a letter to its organiser, by the same way as any other.

So it has its copy in Sent, counts for the limits, waits while a server is away and can be taken
back. It goes to the organiser's address and nowhere else, as the identity that was invited.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from app.invitation_views import Participation
from app.keys.protocol import Purpose
from app.phrase import Say, phrase
from app.reading.invitation import answers_as
from app.reading.opening import Calendars, Opener
from app.sending.invitation import answer_file, reply
from app.sending.service import Sending
from app.viewer import Viewer
from app.views import Outgoing, SentReceipt
from archive_store.clock import utc_now
from archive_store.errors import NotFound

LONGEST_TITLE: Final = 200  # characters of what the event is called


class InvitationDesk:
    """The use case of the card's buttons. Safe to share between threads."""

    def __init__(
        self,
        opener: Opener,
        calendars: Calendars,
        sending: Sending,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._opener = opener
        self._calendars = calendars
        self._sending = sending
        self._now = now

    def answer(self, viewer: Viewer, entry_id: str, answer: Participation, say: Say) -> SentReceipt:
        """Tell the organiser, in words of `say` and for their calendar. NotFound: it is no
        invitation that the viewer can answer. Raises BadDraft as `Sending.send` does.
        """
        opened = self._opener.open(viewer, entry_id, Purpose.RENDER)
        event = self._calendars.invitation(opened.octets)
        mine = {one.address: one for one in self._sending.identities(viewer)}
        own = answers_as(opened, event, mine) if event else ""
        if event is None or event.organizer is None or not own:
            raise NotFound("no such invitation")
        identity = mine[own]
        octets = reply(event, (identity.display_name, own), answer, self._now())
        title = event.summary[:LONGEST_TITLE]
        letter = Outgoing(
            identity_id=identity.id,
            to=event.organizer.address,
            cc="",
            bcc="",
            subject=say(_subject(answer, title)),
            text=say(_text(answer, identity.display_name or own, title)) + "\n",
            attachments=(answer_file(answer, octets),),
            source_entry=entry_id,
            source_kind="reply",
        )
        return self._sending.send(viewer, letter)


def _subject(answer: Participation, title: str) -> str:
    if answer == "accepted":
        return phrase("Accepted: %(title)s", title=title)
    if answer == "tentative":
        return phrase("Maybe: %(title)s", title=title)
    return phrase("Declined: %(title)s", title=title)


def _text(answer: Participation, who: str, title: str) -> str:
    if answer == "accepted":
        return phrase("%(who)s accepts the invitation: %(title)s", who=who, title=title)
    if answer == "tentative":
        return phrase("%(who)s may come: %(title)s", who=who, title=title)
    return phrase("%(who)s declines the invitation: %(title)s", who=who, title=title)
