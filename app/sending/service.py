"""`Sending`: writing and answering as one of a person's identities.

A message is checked and stored in one unit with its copies and queue items, the end of its draft
and its audit event: once `send` returns it is durable and on its way; when it raises BadDraft
nothing was sent and the page keeps what was typed (but for a timeout, whose text says to look
first). With a hold, or at a chosen time, it waits in the outbox first, and can be taken back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from app import audit
from app.accounts import habits, identities
from app.accounts.errors import Unknown
from app.audit.events import Event, MessageScheduled, MessageSent
from app.delivery import primaries
from app.file_views import FilesLocked, FileState
from app.keys.protocol import Purpose
from app.models import Identity
from app.phrase import Phrase, phrase, phrases
from app.reading.opening import OpenedEntry, Opener, Parsers
from app.scanning.checks import FileChecks
from app.sending import drafts, limits, submissions
from app.sending.compose import MESSAGE, new_message_id
from app.sending.dispatch import Recipient, as_unit
from app.sending.draft_box import DraftBox, Octets
from app.sending.draft_mail import Thread, Written
from app.sending.drafts import Answered
from app.sending.limits import SendLimits
from app.sending.outbound import Posted, post, sender_of
from app.sending.outbox import pending
from app.sending.pictures import PICTURE, shown_in
from app.sending.posting import mark_source
from app.viewer import Viewer
from app.views import BadDraft, Draft, DraftKind, IdentityView, Outgoing, SentReceipt
from archive_store import ids
from archive_store.archive import Archive, Stored, Then
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import NotFound, StoreError
from archive_store.sealing import Incoming

PATIENCE = timedelta(seconds=60)
MARGIN = timedelta(hours=1)  # between the latest time to send at and the end of the mail's keys
NOT_NOW = phrase(
    "The archive could not take it just now, and nothing was sent. Try again in a minute."
)
UNCERTAIN = phrase("The archive is slow to answer. Look into Sent before you send this again.")
SENT_BEFORE = phrase("It was sent before already, and only that once.")
LOCKED = phrase("A virus was found in that message: its files stay here. Leave them out.")
TOO_SOON = phrase("That time is over. Choose one that is still to come.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingParts:
    """What sending is made of. `archive` is the web role's own writer.

    `hold`: how long what was sent can be taken back. `longest`: how long mail can wait here.
    """

    db: Database
    archive: Archive
    opener: Opener
    checks: FileChecks
    parsers: Parsers
    drafts: DraftBox
    hold: timedelta = timedelta(0)
    longest: timedelta = timedelta(days=7)
    now: Callable[[], datetime] = field(default=utc_now)
    patience: timedelta = PATIENCE
    limits: SendLimits = field(default_factory=SendLimits)


@dataclass(frozen=True, slots=True)
class _Deed:
    """A letter that somebody sends, from the own mailbox."""

    viewer: Viewer
    mailbox_id: bytes
    written: Outgoing  # `attachments` are all of its files
    posted: Posted

    @property
    def identity(self) -> str:
        return self.posted.letter.sender.wire


class Sending:
    """The use cases of the compose page. Safe to share between threads."""

    def __init__(self, parts: SendingParts) -> None:
        self._db = parts.db
        self._archive = parts.archive
        self._opener = parts.opener
        self._checks = parts.checks
        self._parsers = parts.parsers
        self._drafts = parts.drafts
        self._hold = parts.hold
        self._longest = parts.longest
        self._now = parts.now
        self._patience = parts.patience.total_seconds()
        self._limits = parts.limits

    def identities(self, viewer: Viewer) -> tuple[IdentityView, ...]:
        """Whom the person may send as, the own address first."""
        with self._db.read() as tx:
            return tuple(map(_view, identities.list_of(tx, viewer.user.id)))

    def draft_for(self, viewer: Viewer, kind: DraftKind, entry_id: str | None) -> Draft:
        """What the page starts with; an entry that is not the viewer's is NotFound."""
        with self._db.read() as tx:
            mine = tuple(map(_view, identities.list_of(tx, viewer.user.id)))
            own = habits.of(tx, viewer.user.id)
        if not mine or viewer.mailbox_id is None:
            raise NotFound("nobody to send as")
        if kind == "new":
            return drafts.blank(mine, own)
        source = self._source(viewer, entry_id, kind)
        if source is None:
            raise NotFound("no such message")
        return drafts.answering(kind, source, mine, viewer, own)

    def send(
        self, viewer: Viewer, outgoing: Outgoing, leaves_at: datetime | None = None
    ) -> SentReceipt:
        """Send it, at a chosen time or once it can no longer be taken back; or raise BadDraft with
        the field that is wrong, or with NOT_NOW. NotFound: what it answers is not there.
        """
        try:
            with self._db.read() as tx:
                submissions.check(tx, viewer.user.id, outgoing.submission)
            return self._send(viewer, outgoing, leaves_at)
        except submissions.AlreadySent as sent:
            return SentReceipt(entry_id=ids.show(sent.entry_id), text=SENT_BEFORE)
        except NotFound:
            raise
        except StoreError as error:  # of whatever had to be read or written first
            raise BadDraft("message", NOT_NOW) from error

    def _send(self, viewer: Viewer, outgoing: Outgoing, leaves_at: datetime | None) -> SentReceipt:
        if viewer.mailbox_id is None or viewer.user.domain_id is None:
            raise NotFound("nobody to send as")
        now = self._now()
        if leaves_at is not None:
            self._check_time(leaves_at, now)
        elif self._hold:
            leaves_at = now + self._hold
        identity = self._identity(viewer, outgoing.identity_id)
        source = None
        if outgoing.source_kind != "new":
            source = self._source(viewer, outgoing.source_entry, outgoing.source_kind)
        files = self._files(viewer, outgoing, source)
        whole = replace(outgoing, attachments=files, keep_attachments=(), draft_files=())
        if source is not None and whole.source_kind == "enclose":
            whole = _enclosing(whole, source)
        thread = _thread(identity, source, outgoing.source_kind)
        with self._db.read() as tx:
            posted = post(tx, whole, identity, thread, now)
        deed = _Deed(viewer, viewer.mailbox_id, whole, posted)
        self._count(deed, now)
        if leaves_at is None:
            unit = as_unit(posted.sent(viewer.user.domain_id, viewer.mailbox_id))
            stored = self._store(unit, partial(self._sent, deed))
            text = self._receipt(deed.identity, posted.recipients)
        else:
            written = Written(whole, thread)
            unit = [pending(written, posted.letter.sender, viewer, leaves_at)]
            stored = self._store(unit, partial(self._scheduled, deed, leaves_at))
            text = phrase("Sent as %(identity)s.", identity=deed.identity)
        if outgoing.draft is not None:
            self._drafts.finish(viewer)
        entry_id = ids.show(stored[0].entry_ids[0])
        return SentReceipt(entry_id=entry_id, text=text, leaves_at=leaves_at)

    def _check_time(self, leaves_at: datetime, now: datetime) -> None:
        if leaves_at <= now:
            raise BadDraft("when", TOO_SOON)
        if leaves_at > now + self._longest - MARGIN:
            raise BadDraft("when", _too_late(self._longest.days))

    def _identity(self, viewer: Viewer, shown: str) -> Identity:
        try:
            with self._db.read() as tx:
                return identities.own(tx, viewer, ids.read(shown))
        except (Unknown, ids.BadId):
            raise BadDraft(
                "from", phrase("You cannot send as this. Choose one of your own.")
            ) from None

    def _source(self, viewer: Viewer, entry_id: str | None, kind: DraftKind) -> Answered | None:
        """With nothing but its text when it is infected; FilesLocked for one to be enclosed."""
        if entry_id is None:
            return None
        # Quoting shows the message again: within minutes of an audited opening that is no
        # new one, and otherwise the keys role records it as an opening.
        opened = self._opener.open(viewer, entry_id, Purpose.RENDER)
        parsed = self._parsers.message(opened.octets)
        if self._is_locked(viewer, opened, kind):
            return Answered(opened, replace(parsed, attachments=()), {}, locked=True)
        shows = parsed.html and any(file.inline for file in parsed.attachments)
        pictures = self._parsers.inline_images(opened.octets) if shows else {}
        return Answered(opened, parsed, pictures)

    def _is_locked(self, viewer: Viewer, opened: OpenedEntry, kind: DraftKind) -> bool:
        """Only a forward takes files along, so only for one clamd is asked. Where that cannot say
        they go: the person has them from a stranger, and whoever gets them has a check as well.
        """
        forwards = kind in ("forward", "enclose")
        try:
            if forwards and self._checks.needs(opened.entry):
                self._checks.clear(viewer, opened.entry, opened.octets, unchecked=True)
            elif not forwards:
                return self._checks.state(opened.entry) is FileState.INFECTED
        except FilesLocked:
            if kind == "enclose":
                raise
            return True
        return False

    def _files(
        self, viewer: Viewer, outgoing: Outgoing, source: Answered | None
    ) -> tuple[Octets, ...]:
        """All that goes with the letter: of the answered message, of the draft, and new."""
        own = self._drafts.files(viewer, outgoing)
        if outgoing.rich is None:
            return (
                *(self._kept(source, one) for one in dict.fromkeys(outgoing.keep_attachments)),
                *own,
            )
        shown = shown_in(outgoing.rich.html)
        there = {name for name, _, _ in own}
        pictures = {
            name: index for name, index in shown.items() if index is not None and name not in there
        }
        kept = (
            one for one in dict.fromkeys(outgoing.keep_attachments) if one not in pictures.values()
        )
        return (
            *(self._kept(source, one) for one in kept),
            *((name, *self._kept(source, index)[1:]) for name, index in pictures.items()),
            # A picture that was taken out of the text again stays behind.
            *(file for file in own if file[0] in shown or not PICTURE.fullmatch(file[0])),
        )

    def _kept(self, source: Answered | None, index: int) -> Octets:
        if source is not None and source.locked:
            raise BadDraft("attachments", LOCKED)
        found = self._parsers.attachment(source.opened.octets, index) if source else None
        if found is None:
            raise BadDraft(
                "attachments", phrase("A file of that message cannot be read. Leave it out.")
            )
        facts, octets = found
        return facts.filename, facts.content_type, octets

    def _store(self, unit: list[Incoming], then: Then) -> list[Stored]:
        try:
            return self._archive.submit(unit, then).result(self._patience)
        except TimeoutError:
            # It may still be stored, and then it was sent, whatever the page has said.
            raise BadDraft("message", UNCERTAIN) from None

    def _count(self, deed: _Deed, now: datetime) -> None:
        """Before it is stored, so that nobody who sends twice at once passes a limit."""
        with self._db.write() as tx:
            refused = limits.take(tx, deed.viewer, self._limits, len(deed.posted.recipients), now)
        if refused is not None:
            raise refused

    def _sent(self, deed: _Deed, tx: Session, stored: Sequence[Stored]) -> None:
        """In the transaction that stores what was sent."""
        self._note(tx, deed, stored)
        self._drop_draft(tx, deed)
        mark_source(tx, deed.mailbox_id, deed.written)
        event = MessageSent(
            mailbox_id=deed.mailbox_id,
            entry_id=stored[0].entry_ids[0],
            identity=deed.identity,
            recipients=len(deed.posted.recipients),
        )
        self._record(tx, deed.viewer, event)

    def _scheduled(
        self, deed: _Deed, leaves_at: datetime, tx: Session, stored: Sequence[Stored]
    ) -> None:
        """In the transaction that puts it into the outbox."""
        self._note(tx, deed, stored)
        self._drop_draft(tx, deed)
        event = MessageScheduled(
            mailbox_id=deed.mailbox_id,
            entry_id=stored[0].entry_ids[0],
            identity=deed.identity,
            recipients=len(deed.posted.recipients),
            leaves_at=leaves_at.isoformat(timespec="seconds"),
        )
        self._record(tx, deed.viewer, event)

    def _note(self, tx: Session, deed: _Deed, stored: Sequence[Stored]) -> None:
        name, entry_id = deed.written.submission, stored[0].entry_ids[0]
        submissions.note(tx, deed.viewer.user.id, name, entry_id, self._now())

    def _drop_draft(self, tx: Session, deed: _Deed) -> None:
        if deed.written.draft is None:
            return
        self._drafts.drop_in(tx, deed.viewer, deed.written.draft)

    def _record(self, tx: Session, viewer: Viewer, event: Event) -> None:
        audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=self._now())

    def _receipt(self, identity: str, recipients: tuple[Recipient, ...]) -> str:
        down = self._down(recipients)
        if not down:
            return phrase("Sent as %(identity)s. A copy is in Sent.", identity=identity)
        if any(recipient.is_here for recipient in recipients):
            return phrase(
                "Sent as %(identity)s. Colleagues read it here now. "
                "The mail server of %(domain)s gets it when it is back.",
                identity=identity,
                domain=down,
            )
        return phrase(
            "Sent as %(identity)s. The mail server of %(domain)s gets it when it is back.",
            identity=identity,
            domain=down,
        )

    def _down(self, recipients: tuple[Recipient, ...]) -> str:
        """A domain whose server is handed the message, and takes no mail now."""
        waiting = {r.route.domain_id: r.route.domain_name for r in recipients if r.route.hands_on}
        try:
            with self._db.read() as tx:
                for domain_id, name in waiting.items():
                    if domain_id is not None and primaries.facts(tx, domain_id).is_out:
                        return name
        except StoreError:
            pass  # it is sent: an error now would have it sent twice
        return ""


def _too_late(days: int) -> Phrase:
    return phrases(
        "Mail is kept here for %(num)s day only, so it can wait no longer than that.",
        "Mail is kept here for %(num)s days only, so it can wait no longer than that.",
        days,
    )


def _view(identity: Identity) -> IdentityView:
    return IdentityView(
        id=ids.show(identity.id),
        address=identity.address,
        display_name=identity.display_name,
        primary=identity.primary,
        signature=identity.signature,
    )


def _enclosing(letter: Outgoing, source: Answered) -> Outgoing:
    """The letter with the message itself as a file: from now on a forward like any other."""
    file = (f"{source.parsed.subject or 'mail'}.eml", MESSAGE, source.opened.octets)
    return replace(letter, source_kind="forward", attachments=(file, *letter.attachments))


def _thread(identity: Identity, source: Answered | None, kind: DraftKind) -> Thread:
    """Its own id, and what an answer answers (RFC 5322 section 3.6.4); the answered message's
    own id is added by `compose`.
    """
    message_id = new_message_id(sender_of(identity))
    if source is None or kind in ("forward", "enclose"):
        return Thread(message_id)
    parsed = source.parsed
    before = parsed.references or ((parsed.in_reply_to,) if parsed.in_reply_to else ())
    return Thread(message_id, parsed.message_id, tuple(before))
