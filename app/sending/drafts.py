"""What the compose page starts with: an empty sheet, an answer, a forward. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.reading.opening import OpenedEntry
from app.sending import quoting, quoting_rich
from app.sending.addressees import write_list
from app.sending.pictures import picture_name
from app.viewer import Viewer
from app.views import Draft, DraftKind, Habits, IdentityView, Quoting
from archive_store import ids
from archive_store.address import BadAddress, EmailAddress
from archive_store.mime.values import Address, ParsedMessage


@dataclass(frozen=True, slots=True)
class Answered:
    """The message that is answered or forwarded; `pictures`: what it shows, by Content-ID."""

    opened: OpenedEntry
    parsed: ParsedMessage
    pictures: Mapping[str, bytes]
    locked: bool = False  # a virus was found in it: its text is all that may be taken

    def named(self) -> dict[str, str]:
        """The names under which its pictures stand in rich text, by Content-ID."""
        found = {
            file.content_id: picture_name(file.index, file.content_type)
            for file in self.parsed.attachments
            if file.content_id in self.pictures
        }
        return {content_id: name for content_id, name in found.items() if name}


def blank(identities: Sequence[IdentityView], habits: Habits) -> Draft:
    """An empty sheet, as the primary identity."""
    identity = _primary(identities)
    return Draft(
        kind="new",
        identity_id=identity.id,
        to="",
        cc="",
        subject="",
        text=quoting.sheet("", identity.signature, habits.quoting),
        rich=quoting_rich.sheet("", identity.signature, habits.quoting),
        begin_rich=habits.rich,
    )


def answering(
    kind: DraftKind,
    answered: Answered,
    identities: Sequence[IdentityView],
    viewer: Viewer,
    habits: Habits,
) -> Draft:
    """An answer to a message, or its forward; one that encloses it has no word of it."""
    opened, parsed, names = answered.opened, answered.parsed, answered.named()
    identity = _addressed(identities, opened.envelope.rcpt_to, parsed)
    received_at = opened.entry.received_at
    if kind == "enclose":
        subject = quoting.forward_subject(parsed.subject)
        entry = ids.show(opened.entry.id)
        sheet = replace(blank((identity,), habits), kind=kind, subject=subject)
        return replace(sheet, source_entry=entry, enclosed=len(opened.octets))
    forward = kind == "forward"
    own = {key_of(one.address) for one in identities} | {key_of(viewer.user.address)}
    to, cc = ([], []) if forward else _recipients(parsed, own, everybody=kind == "reply-all")
    plain, rich = (
        (quoting.forwarded, quoting_rich.forwarded)
        if forward
        else (quoting.quoted_answer, quoting_rich.quoted_answer)
    )
    titled = quoting.forward_subject if forward else quoting.answer_subject
    where: Quoting = "below" if forward else habits.quoting
    return Draft(
        kind=kind,
        identity_id=identity.id,
        to=_typed(to),
        cc=_typed(cc),
        subject=titled(parsed.subject),
        text=quoting.sheet(plain(parsed, received_at), identity.signature, where),
        rich=quoting_rich.sheet(rich(parsed, received_at, names), identity.signature, where),
        begin_rich=habits.rich,
        pictures={name: answered.pictures[one] for one, name in names.items()},
        attachments=parsed.attachments if forward else (),
        source_entry=ids.show(opened.entry.id),
    )


def key_of(text: str) -> str:
    """One spelling of an address for all; of what is none, itself in lower case."""
    try:
        return EmailAddress.parse(text).key
    except BadAddress:
        return text.lower()


def _recipients(
    parsed: ParsedMessage, own: set[str], *, everybody: bool
) -> tuple[list[Address], list[Address]]:
    """To and Cc of an answer. An answer to what oneself has sent goes to its recipients again."""
    asked = parsed.reply_to or ((parsed.sender,) if parsed.sender else ())
    sent_by_self = parsed.sender is not None and key_of(parsed.sender.address) in own
    to = _once(parsed.to if sent_by_self and not parsed.reply_to else asked, set())
    if not everybody:
        return to, []
    named = {key_of(one.address) for one in to}
    others = (*parsed.to, *parsed.cc)
    return to, _once(others, own | named)


def _once(people: Iterable[Address], seen: set[str]) -> list[Address]:
    """Each address once, and none of those that were seen before."""
    found: dict[str, Address] = {}
    for one in people:
        key = key_of(one.address)
        if one.address and key not in seen:
            found.setdefault(key, one)
    return list(found.values())


def _typed(people: Iterable[Address]) -> str:
    return write_list((one.name, one.address) for one in people)


def _primary(identities: Sequence[IdentityView]) -> IdentityView:
    return next((one for one in identities if one.primary), identities[0])


def _addressed(
    identities: Sequence[IdentityView], envelope_to: str, parsed: ParsedMessage
) -> IdentityView:
    """The identity that the mail was sent to: by its envelope, else by its header."""
    mine = {key_of(one.address): one for one in identities}
    for address in (envelope_to, *(one.address for one in (*parsed.to, *parsed.cc))):
        found = mine.get(key_of(address))
        if found is not None:
            return found
    return _primary(identities)
