"""`Sending`: writing and answering as one of a person's identities.

A message is checked, composed and stored in one unit with its copies and queue items:
once `send` returns it is durable and on its way; when it raises BadDraft nothing was sent
and the page keeps what was typed (but for a timeout, whose text says to look first).

The audit event follows the storing. It names the entry in Sent, which has no id before it
is sealed, and an event of a message that then could not be stored would be untrue. A crash
in between leaves the mail log's line, which is in the storing transaction.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import update
from sqlalchemy.orm import Session

from app import audit
from app.accounts import identities
from app.accounts.domains import Mode
from app.accounts.errors import Unknown
from app.accounts.routing import Disposition, resolve
from app.audit.events import MessageSent
from app.delivery import primaries
from app.keys.protocol import Purpose
from app.models import Domain, Identity
from app.reading.opening import OpenedEntry, Opener, Parsers
from app.sending import drafts, quoting
from app.sending.addressees import Addressee, BadList, read_list
from app.sending.compose import LARGEST_LETTER, File, Letter, compose, new_message_id
from app.sending.dispatch import Recipient, Sent, as_unit
from app.sending.headers import address_field, text_value
from app.viewer import Viewer
from app.views import (
    BadDraft,
    Draft,
    DraftField,
    DraftKind,
    IdentityView,
    Outgoing,
    SentReceipt,
)
from archive_store import ids
from archive_store.address import EmailAddress
from archive_store.archive import Archive, Stored
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import NotFound, StoreBusy, StoreError
from archive_store.maillog import LogEntry
from archive_store.mime.values import ParsedMessage
from archive_store.models import Entry
from archive_store.sealing import Incoming

log = logging.getLogger(__name__)
MOST_RECIPIENTS = 100
PATIENCE = timedelta(seconds=60)
TOO_LARGE = "A message may be 25 MB with its attachments. Take a file out."
NOBODY = "Say to whom: an address, such as hanna@example.com."
NOT_NOW = "The archive could not take it just now, and nothing was sent. Try again in a minute."
UNCERTAIN = "The archive is slow to answer. Look into Sent before you send this again."


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingParts:
    """What sending is made of. `archive` is the web role's own writer."""

    db: Database
    archive: Archive
    opener: Opener
    parsers: Parsers
    now: Callable[[], datetime] = field(default=utc_now)
    patience: timedelta = PATIENCE


@dataclass(frozen=True, slots=True)
class _Source:
    """The message that is answered or forwarded."""

    opened: OpenedEntry
    parsed: ParsedMessage


@dataclass(frozen=True, slots=True)
class _Typed:
    """The recipients of the form; `everybody` has each address once, with its field."""

    to: tuple[Addressee, ...]
    cc: tuple[Addressee, ...]
    everybody: tuple[tuple[DraftField, Addressee], ...]


@dataclass(frozen=True, slots=True)
class _Deed:
    """What is put on the record once it is done."""

    viewer: Viewer
    mailbox_id: bytes
    identity: str
    recipients: int
    source: _Source | None
    kind: DraftKind

    def event(self, entry_id: bytes) -> MessageSent:
        return MessageSent(
            mailbox_id=self.mailbox_id,
            entry_id=entry_id,
            identity=self.identity,
            recipients=self.recipients,
        )


class Sending:
    """The use cases of the compose page. Safe to share between threads."""

    def __init__(self, parts: SendingParts) -> None:
        self._db = parts.db
        self._archive = parts.archive
        self._opener = parts.opener
        self._parsers = parts.parsers
        self._now = parts.now
        self._patience = parts.patience.total_seconds()

    def identities(self, viewer: Viewer) -> tuple[IdentityView, ...]:
        """Whom the person may send as, the own address first."""
        with self._db.read() as tx:
            return tuple(map(_view, identities.list_of(tx, viewer.user.id)))

    def draft_for(self, viewer: Viewer, kind: DraftKind, entry_id: str | None) -> Draft:
        """What the page starts with; an entry that is not the viewer's is NotFound."""
        mine = self.identities(viewer)
        if not mine or viewer.mailbox_id is None:
            raise NotFound("nobody to send as")
        if kind == "new":
            return drafts.blank(mine)
        source = self._source(viewer, entry_id)
        if source is None:
            raise NotFound("no such message")
        return drafts.answering(kind, source.opened, source.parsed, mine, viewer)

    def send(self, viewer: Viewer, outgoing: Outgoing) -> SentReceipt:
        """Send it, or raise BadDraft with the field that is wrong."""
        if viewer.mailbox_id is None or viewer.user.domain_id is None:
            raise NotFound("nobody to send as")
        identity = self._identity(viewer, outgoing.identity_id)
        typed = _recipients(outgoing)
        source = None
        if outgoing.source_kind != "new":
            source = self._source(viewer, outgoing.source_entry)
        letter = self._letter(outgoing, identity, typed, source)
        with self._db.read() as tx:
            recipients = tuple(_routed(tx, where, one) for where, one in typed.everybody)
        sent = Sent(
            tenant_id=viewer.user.domain_id,
            mailbox_id=viewer.mailbox_id,
            mail_from=letter.sender.wire,
            octets=compose(letter),
            recipients=recipients,
            now=letter.date,
            log=_log_entry(letter),
            smtputf8=letter.needs_smtputf8 or any(p.needs_smtputf8 for _, p in typed.everybody),
        )
        deed = _Deed(
            viewer,
            viewer.mailbox_id,
            identity.address,
            len(recipients),
            source,
            outgoing.source_kind,
        )
        stored = self._store(as_unit(sent), deed)
        entry_id = ids.show(stored[0].entry_ids[0])
        return SentReceipt(entry_id=entry_id, text=self._receipt(identity, recipients))

    def _identity(self, viewer: Viewer, shown: str) -> Identity:
        try:
            with self._db.read() as tx:
                return identities.own(tx, viewer, ids.read(shown))
        except (Unknown, ids.BadId):
            raise BadDraft("from", "You cannot send as this. Choose one of your own.") from None

    def _source(self, viewer: Viewer, entry_id: str | None) -> _Source | None:
        if entry_id is None:
            return None
        # Quoting shows the message again: within minutes of an audited opening that is no
        # new one, and otherwise the keys role records it as an opening.
        opened = self._opener.open(viewer, entry_id, Purpose.RENDER)
        return _Source(opened, self._parsers.message(opened.octets))

    def _letter(
        self, outgoing: Outgoing, identity: Identity, typed: _Typed, source: _Source | None
    ) -> Letter:
        if len(outgoing.subject) > quoting.LONGEST_SUBJECT:
            raise BadDraft(
                "subject", f"A subject has at most {quoting.LONGEST_SUBJECT} characters."
            )
        sender = Addressee(identity.display_name, EmailAddress.parse(identity.address))
        answers = source is not None and outgoing.source_kind != "forward"
        letter = Letter(
            sender=sender,
            to=typed.to,
            cc=typed.cc,
            subject=outgoing.subject,
            text=outgoing.text,
            date=self._now(),
            message_id=new_message_id(sender),
            in_reply_to=source.parsed.message_id if source and answers else "",
            references=_references(source.parsed) if source and answers else (),
            files=self._files(outgoing, source),
        )
        if letter.size > LARGEST_LETTER:
            raise BadDraft("attachments", TOO_LARGE)
        return letter

    def _files(self, outgoing: Outgoing, source: _Source | None) -> tuple[File, ...]:
        kept = [self._kept(source, index) for index in dict.fromkeys(outgoing.keep_attachments)]
        return (*kept, *(File(*uploaded) for uploaded in outgoing.attachments))

    def _kept(self, source: _Source | None, index: int) -> File:
        found = self._parsers.attachment(source.opened.octets, index) if source else None
        if found is None:
            raise BadDraft("attachments", "A file of that message cannot be read. Leave it out.")
        facts, octets = found
        return File(facts.filename, facts.content_type, octets)

    def _store(self, unit: list[Incoming], deed: _Deed) -> list[Stored]:
        future = self._archive.submit(unit)
        try:
            stored = future.result(self._patience)
        except TimeoutError:
            # It may still be stored, and then it was sent, whatever the page has said.
            future.add_done_callback(partial(self._stored_late, deed))
            raise BadDraft("message", UNCERTAIN) from None
        except StoreError as error:
            raise BadDraft("message", NOT_NOW) from error
        self._record(deed, stored)
        return stored

    def _stored_late(self, deed: _Deed, future: Future[list[Stored]]) -> None:
        if future.exception() is None:
            self._record(deed, future.result())

    def _record(self, deed: _Deed, stored: list[Stored]) -> None:
        """The message is on its way: whatever fails here must not make anybody send it again."""
        event = deed.event(stored[0].entry_ids[0])
        actor, trail = deed.viewer.actor, deed.viewer.user.domain_id
        for _ in range(2):
            try:
                with self._db.write() as tx:
                    if deed.source is not None:
                        _mark(tx, deed.source.opened.entry, forwarded=deed.kind == "forward")
                    audit.record(tx, event, trail=trail, actor=actor, at=self._now())
                return
            except StoreBusy:
                continue
        log.error("no audit event could be written for sent entry %s", ids.show(event.entry_id))

    def _receipt(self, identity: Identity, recipients: tuple[Recipient, ...]) -> str:
        said = f"Sent as {identity.address}."
        down = self._down(recipients)
        if not down:
            return f"{said} A copy is in Sent."
        at_once = " Colleagues read it here now." if any(r.is_here for r in recipients) else ""
        return f"{said}{at_once} The mail server of {down} gets it when it is back."

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


def _view(identity: Identity) -> IdentityView:
    return IdentityView(
        id=ids.show(identity.id),
        address=identity.address,
        display_name=identity.display_name,
        primary=identity.primary,
    )


def _recipients(outgoing: Outgoing) -> _Typed:
    fields: tuple[tuple[DraftField, str], ...] = (
        ("to", outgoing.to),
        ("cc", outgoing.cc),
        ("bcc", outgoing.bcc),
    )
    lists: dict[DraftField, tuple[Addressee, ...]] = {}
    everybody: dict[str, tuple[DraftField, Addressee]] = {}
    for name, text in fields:
        try:
            lists[name] = read_list(text)
        except BadList as error:
            raise BadDraft(name, str(error)) from None
        for one in lists[name]:
            everybody.setdefault(one.address.key, (name, one))
    if not everybody:
        raise BadDraft("to", NOBODY)
    if len(everybody) > MOST_RECIPIENTS:
        raise BadDraft("to", f"A message has at most {MOST_RECIPIENTS} recipients.")
    return _Typed(lists["to"], lists["cc"], tuple(everybody.values()))


def _routed(tx: Session, where: DraftField, one: Addressee) -> Recipient:
    route = resolve(tx, one.address)
    domain = tx.get(Domain, route.domain_id) if route.domain_id else None
    unknown = route.disposition is Disposition.REJECT_UNKNOWN
    # In copy mode others of the domain are people whom only its own server knows.
    if unknown and domain is not None and domain.mode == Mode.RELAY:
        raise BadDraft(where, f"Nobody at {route.domain_name} has the address {one.wire}.")
    return Recipient(one.wire, route)


def _references(parsed: ParsedMessage) -> tuple[str, ...]:
    """RFC 5322 section 3.6.4; the answered message's own id is added by `compose`."""
    return parsed.references or ((parsed.in_reply_to,) if parsed.in_reply_to else ())


def _log_entry(letter: Letter) -> LogEntry:
    sender = address_field("From", [letter.sender]).decode().replace("\r\n", "")
    return LogEntry(
        event="sent",
        mail_from=letter.sender.wire,
        subject=text_value(letter.subject),
        header_from=sender.partition(": ")[2],
        message_id=letter.message_id,
    )


def _mark(tx: Session, entry: Entry, *, forwarded: bool) -> None:
    values = {"forwarded": True} if forwarded else {"answered": True}
    tx.execute(update(Entry).where(Entry.seq == entry.seq).values(**values))
