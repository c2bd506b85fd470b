"""One message: opened to be read, its text for the frame, its octets as files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from app.accounts import identities
from app.accounts.checking import Checker
from app.delivery.state import NONE, EntryDelivery, delivery_state
from app.file_views import MOST_DEEP, FileState, Section, claims_mail
from app.invitation_views import Invited
from app.keys.protocol import Purpose
from app.leaving_views import Leaving
from app.markup import leads
from app.phrase import phrase
from app.reading import files, finding, handing, posing, rows, strangers, verdicts
from app.reading.desk import Desk, Remote
from app.reading.finding import EntryLine, Window
from app.reading.invitation import OWN, invited
from app.reading.leaving import leaving_of
from app.reading.opening import OpenedEntry
from app.viewer import Viewer
from app.views import NOWHERE, OpenMessage, Position, Row, RowFilter, SafeDocument, SenderCheck
from archive_store import ids
from archive_store.errors import FrameBroken, NotFound, SealBroken
from archive_store.indexing import IndexedSummary
from archive_store.mime.html_text import remote_images
from archive_store.mime.invitation import METHODS
from archive_store.mime.summary import summarise
from archive_store.mime.values import Attachment, ParsedMessage, Problem
from archive_store.models import Entry
from archive_store.search import parse_query

SOURCE_OCTETS = 1024 * 1024
_BLANK = (b"\r\n\r\n", b"\n\n")
DAMAGED = phrase(
    "This message is kept, but its sealed octets are damaged or were changed, so it is not shown. "
    "Your help desk can find it by the time at which it came. Your other messages are not affected."
)


class Messages(Desk):
    """The use cases of a single message."""

    def open_message(
        self,
        viewer: Viewer,
        entry_id: str,
        folder: str = "",
        *,
        filter: RowFilter = "all",
        to: str = "",
    ) -> OpenMessage:
        """Open a message: audited, and marked as read. Its place is that in the list of a folder
        (its own, unless one is named) as `list_folder` gives it.
        """
        opened = self.open_alone(viewer, entry_id)
        window = self._window(viewer)
        with self._db.read() as tx:
            entry = finding.find_one(tx, window, entry_id)
            wanted = (*window.conditions, finding.beside(entry, folder or entry.folder, filter))
            if to:
                lines = self._sent_to(tx, viewer, finding.lines(tx, *wanted), to)
                return replace(opened, position=_among(lines, entry))
            return replace(opened, position=_position(tx, wanted, entry))

    def open_alone(self, viewer: Viewer, entry_id: str) -> OpenMessage:
        """The same without its place in a list."""
        try:
            opened = self.opener.open(viewer, entry_id, Purpose.OPEN)
        except (SealBroken, FrameBroken):
            return self._damaged(viewer, entry_id)
        parsed = self._parsers.message(opened.octets)
        entry = opened.entry
        entry.seen = True  # the keys role has written it down, with the audit event
        with self._db.read() as tx:
            delivery = delivery_state(tx, [entry.id])[entry.id]
            came = parsed.sender if entry.folder not in OWN else None
            told = posing.told_of(tx, viewer, came) if came else None
            check = self._check(viewer, opened, parsed) if came else None
            first = bool(came) and self._is_first(tx, viewer, opened.entry, parsed)
            mine = [one.address for one in identities.list_of(tx, viewer.user.id)]
        attachments = files.listed(parsed.attachments, self._shown(opened.octets, parsed))
        state = self.checks.state(entry)
        zips = files.fit_a_zip(len(attachments), len(opened.octets))
        return OpenMessage(
            row=_row_of(opened, parsed, delivery),
            parsed=parsed,
            attachments=attachments,
            zips=zips and state is not FileState.INFECTED,
            files=state,
            virus=entry.scan_found,
            envelope_to=opened.envelope.rcpt_to,
            leaves_on=entry.received_at + self._keep,
            delivery=handing.delivery_words(
                delivery, entry.folder, self._reader.installation, opened.content_key
            ),
            genuine=opened.genuine,
            blocked_images=remote_images(parsed.html) if parsed.html else 0,
            marked_links=marked_links(parsed),
            check=check,
            told=told,
            first_time=first,
            invitation=self._invitation(opened, parsed, mine),
            leaving=leaving_of(opened.octets, check) if came else None,
        )

    def leaving(self, viewer: Viewer, entry_id: str) -> Leaving | None:
        """How the list of a message is left; None when it says nothing of that."""
        opened = self.opener.open(viewer, entry_id, Purpose.RENDER)
        if opened.entry.folder in OWN:
            return None
        parsed = self._parsers.message(opened.octets)
        return leaving_of(opened.octets, self._check(viewer, opened, parsed))

    def _check(
        self, viewer: Viewer, opened: OpenedEntry, parsed: ParsedMessage
    ) -> SenderCheck | None:
        """What the domain's checker found; of a mail with several senders nothing is said."""
        if parsed.sender is None or Problem.SEVERAL_SENDERS in parsed.problems:
            return None
        checker = Checker.parse(viewer.user.checked_by)
        client = opened.envelope.client_ip
        return verdicts.check_of(opened.octets, client, checker, parsed.sender.address)

    def _is_first(self, tx: Session, viewer: Viewer, entry: Entry, parsed: ParsedMessage) -> bool:
        """Whether it is somebody's first mail, as far as the kept days tell."""
        own = viewer.user.domain_name
        if (
            parsed.sender is None
            or not strangers.is_personal(parsed, own)
            or entry.folder == "spam"
        ):
            return False
        now, address = self._now(), parsed.sender.address
        window = Window.of(viewer, now, self._keep)
        return self._strangers.is_first(tx, viewer, entry, address, window, now)

    def confirmed_sender(self, viewer: Viewer, entry_id: str) -> str:
        """The sender's address, if the domain's checker has confirmed the mail; else empty. It
        belongs to the opening that was audited.
        """
        try:
            opened = self.opener.open(viewer, entry_id, Purpose.RENDER)
        except (SealBroken, FrameBroken):
            return ""
        parsed = self._parsers.message(opened.octets)
        check = self._check(viewer, opened, parsed)
        is_proven = opened.genuine and check is not None and check.passed
        return parsed.sender.address if is_proven and parsed.sender else ""

    def _invitation(
        self, opened: OpenedEntry, parsed: ParsedMessage, mine: Sequence[str]
    ) -> Invited | None:
        if not any(one.method in METHODS for one in parsed.attachments):
            return None
        event = self._calendars.invitation(opened.octets)
        return invited(opened, event, parsed.sender, mine) if event else None

    def body_html(
        self, viewer: Viewer, entry_id: str, sought: str = "", remote: Remote | None = None
    ) -> SafeDocument:
        """The page for the frame. It belongs to the opening just audited. The words of the search
        `sought` are marked in it; `remote` says where to ask for pictures from outside.
        """
        try:
            opened = self.opener.open(viewer, entry_id, Purpose.RENDER)
        except (SealBroken, FrameBroken):
            return self._documents.text(DAMAGED, ())
        needles, entry = parse_query(sought).needles, opened.entry
        return self._document(opened.octets, needles, remote, locked=self._locked(entry))

    def check(self, viewer: Viewer, entry_id: str) -> None:
        """NotFound unless the message is there and the viewer's own. Opens nothing."""
        self.opener.locate(viewer, entry_id)

    def leaves_at(self, viewer: Viewer, entry_id: str) -> datetime:
        """When the message is over. Opens nothing."""
        entry, _ = self.opener.locate(viewer, entry_id)
        return entry.received_at + self._keep

    def still_there(self, viewer: Viewer, shown: Sequence[str]) -> frozenset[str]:
        """Those of the ids whose messages are there, and not in the trash. Opens nothing."""
        with self._db.read() as tx:
            return finding.still_there(tx, self._window(viewer), shown)

    def original(self, viewer: Viewer, entry_id: str, *, unchecked: bool = False) -> bytes:
        """The octets as received; audited."""
        self._clear(viewer, entry_id, unchecked=unchecked)
        return self.opener.open(viewer, entry_id, Purpose.DOWNLOAD).octets

    def source(self, viewer: Viewer, entry_id: str) -> bytes:
        """The same to be looked at as text: of an infected message, its header alone."""
        opened = self.opener.open(viewer, entry_id, Purpose.DOWNLOAD)
        return header_of(opened.octets) if self._locked(opened.entry) else opened.octets

    def attachment(
        self, viewer: Viewer, entry_id: str, section: Section, *, unchecked: bool = False
    ) -> tuple[Attachment, bytes]:
        """An attachment's name and octets; audited as one of the message that came."""
        self._clear(viewer, entry_id, unchecked=unchecked)
        opened = self.opener.open(viewer, entry_id, Purpose.ATTACHMENT, section[0])
        return self._read(opened.octets, section)

    def attachments(
        self, viewer: Viewer, entry_id: str, *, unchecked: bool = False
    ) -> Iterator[tuple[Attachment, bytes]]:
        """All attachments that are listed, each read when its turn comes; audited as a download
        of the message.
        """
        self._clear(viewer, entry_id, unchecked=unchecked)
        octets = self.opener.open(viewer, entry_id, Purpose.DOWNLOAD).octets
        parsed = self._parsers.message(octets)
        listed = files.listed(parsed.attachments, self._shown(octets, parsed))
        if not files.fit_a_zip(len(listed), len(octets)):
            raise NotFound("no such archive")
        return (self._read(octets, (one.index,)) for one in listed)

    def _clear(self, viewer: Viewer, entry_id: str, *, unchecked: bool) -> None:
        """FilesLocked or FilesUnchecked unless the files may be given. Before they are opened to
        be given: what is refused is not on the record as downloaded.
        """
        entry, _ = self.opener.locate(viewer, entry_id)
        if self.checks.needs(entry):
            octets = self.opener.open(viewer, entry_id, Purpose.RENDER).octets
            self.checks.clear(viewer, entry, octets, unchecked=unchecked)

    def _locked(self, entry: Entry) -> bool:
        return self.checks.state(entry) is FileState.INFECTED

    def _read(self, octets: bytes, section: Section) -> tuple[Attachment, bytes]:
        found = self._parsers.attachment(self._mail(octets, section[:-1]), section[-1])
        if found is None:
            raise NotFound("no such attachment")
        return found

    def _mail(self, octets: bytes, section: Section) -> bytes:
        """The octets of an enclosed mail; those of the outer one for no section."""
        if len(section) >= MOST_DEEP:
            raise NotFound("too deep")
        for index in section:
            found = self._parsers.attachment(octets, index)
            if found is None or not claims_mail(found[0]):
                raise NotFound("no such mail")
            octets = found[1]
        return octets

    def _document(
        self, octets: bytes, needles: Sequence[str], remote: Remote | None, *, locked: bool = False
    ) -> SafeDocument:
        """`locked`: nothing but its text."""
        parsed = self._parsers.message(octets)
        if parsed.unreadable:
            return self._documents.text(_source(header_of(octets) if locked else octets), needles)
        if parsed.html is None:
            return self._documents.text(parsed.text or "", needles)
        pictures = {} if locked else self._pictures(octets, parsed)
        return self._documents.html(parsed.html, pictures, needles, remote)

    def _pictures(self, octets: bytes, parsed: ParsedMessage) -> Mapping[str, bytes]:
        inside = any(attachment.inline for attachment in parsed.attachments)
        return self._parsers.inline_images(octets) if inside else {}

    def _shown(self, octets: bytes, parsed: ParsedMessage) -> frozenset[str]:
        """The Content-IDs of the pictures that the frame shows."""
        pictures = self._pictures(octets, parsed)
        return frozenset(
            cid
            for cid in files.referred(parsed.html or "") & pictures.keys()
            if self._documents.picture(pictures[cid])
        )

    def _damaged(self, viewer: Viewer, entry_id: str) -> OpenMessage:
        """What can be said of a message whose octets do not open."""
        entry, _ = self.opener.locate(viewer, entry_id)
        with self._db.read() as tx:
            row = self._rows(tx, viewer, [entry])[0]
        return OpenMessage(
            row=row,
            parsed=ParsedMessage(subject=row.subject, problems=(DAMAGED,), unreadable=True),
            attachments=(),
            envelope_to=row.sent_to,
            leaves_on=entry.received_at + self._keep,
            delivery=handing.delivery_words(NONE, entry.folder, self._reader.installation, None),
            genuine=False,
        )


def marked_links(parsed: ParsedMessage) -> int:
    """How many links of the body that is shown lead elsewhere than they seem to."""
    if parsed.html is None:
        return leads.disguised_links(parsed.text or "")
    return leads.marked_links(parsed.html)


def _position(tx: Session, wanted: Sequence[ColumnElement[bool]], entry: Entry) -> Position:
    """The place of an entry in a list, without reading the list."""
    if not finding.count(tx, *wanted, Entry.seq == entry.seq):
        return NOWHERE
    newer = finding.nearest(tx, *wanted, finding.newer_than(entry), oldest_first=True)
    older = finding.nearest(tx, *wanted, finding.older_than(entry), oldest_first=False)
    return Position(
        finding.count(tx, *wanted, finding.newer_than(entry)) + 1,
        finding.count(tx, *wanted),
        ids.show(newer) if newer else None,
        ids.show(older) if older else None,
    )


def _among(lines: Sequence[EntryLine], entry: Entry) -> Position:
    """The place of an entry in a list that was read."""
    shown = [line.id for line in lines]
    if entry.id not in shown:
        return NOWHERE
    at = shown.index(entry.id)
    return Position(
        at + 1,
        len(shown),
        ids.show(shown[at - 1]) if at else None,
        ids.show(shown[at + 1]) if at + 1 < len(shown) else None,
    )


def _row_of(opened: OpenedEntry, parsed: ParsedMessage, delivery: EntryDelivery) -> Row:
    """The row of an open message: from the message itself, so it is there before the index."""
    envelope = opened.envelope
    indexed = IndexedSummary(
        summarise(parsed), envelope.rcpt_to, envelope.mail_from, opened.genuine
    )
    only_here = handing.only_here(delivery, opened.entry.folder)
    return rows.row(opened.entry, indexed, only_here=only_here)


def header_of(octets: bytes) -> bytes:
    """The fields of a message without its body (RFC 5322 section 2.1)."""
    return octets[: min(filter(lambda at: at >= 0, map(octets.find, _BLANK)), default=None)]


def _source(octets: bytes) -> str:
    """The message as it was written; header octets beyond ASCII are UTF-8 (RFC 6532)."""
    return octets[:SOURCE_OCTETS].decode("utf-8", "replace").replace("\r\n", "\n")
