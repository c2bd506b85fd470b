"""Who of the reader's identities an invitation is for, and whether it can be answered. Pure."""

from collections.abc import Iterable

from app.invitation_views import Invited
from app.reading.opening import OpenedEntry
from archive_store.address import BadAddress, EmailAddress
from archive_store.mime.invitation import Invitation
from archive_store.mime.values import Address
from archive_store.models import OUTBOX

OWN = frozenset(("sent", "drafts", OUTBOX))  # folders of what the viewer wrote


def invited(
    opened: OpenedEntry, event: Invitation, sender: Address | None, identities: Iterable[str]
) -> Invited:
    """What there is to know of an invitation for whoever writes as `identities`."""
    organizer = _key(event.organizer.address) if event.organizer else ""
    return Invited(
        event=event,
        own=answers_as(opened, event, identities),
        stranger=(_key(sender.address) if sender else "") != organizer,
        participation=opened.entry.participation,
    )


def answers_as(opened: OpenedEntry, event: Invitation, identities: Iterable[str]) -> str:
    """The identity that is invited: that of the envelope before others. Empty: it cannot be
    answered, since none is, or it is no request of somebody else's that this service received.
    """
    if event.method != "REQUEST" or event.organizer is None:
        return ""
    if not opened.genuine or opened.entry.folder in OWN:
        return ""
    mine = {_key(address): address for address in identities}
    asked = {_key(one.address) for one in event.attendees} & mine.keys()
    if _key(event.organizer.address) in mine or not asked:
        return ""
    came_to = _key(opened.envelope.rcpt_to)
    return mine[came_to if came_to in asked else min(asked)]


def _key(text: str) -> str:
    try:
        return EmailAddress.parse(text).key
    except BadAddress:
        return text.lower()
