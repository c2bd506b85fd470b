"""`Reading`: what the pages may do with a person's own mail.

Each method is one use case with its own transactions. What an id does not name, or names
for somebody else, raises NotFound. A message whose sealed octets are damaged is shown as
just that: the list and its other messages stay usable.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from sqlalchemy.orm import Session

from app import audit
from app.audit.events import MailboxSearched
from app.delivery.state import NONE, EntryDelivery, delivery_state
from app.keys.protocol import Purpose
from app.reading import counting, files, filing, finding, handing, rows, searching
from app.reading.finding import EntryLine, Window
from app.reading.opening import EntryKeys, OpenedEntry, Opener, Parsers
from app.reading.searching import Scan
from app.reading.shelf import Shelves, SummaryKeys
from app.reading.words import WordShelves
from app.viewer import Viewer
from app.views import (
    FolderPage,
    OpenMessage,
    Position,
    Row,
    RowFilter,
    SafeDocument,
    SearchPage,
    Sidebar,
)
from archive_store import deletion, ids
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import FrameBroken, NotFound, SealBroken
from archive_store.indexing import IndexedSummary
from archive_store.mime.html_text import remote_images
from archive_store.mime.summary import summarise
from archive_store.mime.values import Attachment, ParsedMessage
from archive_store.models import FOLDERS, OUTBOX, Entry
from archive_store.reader import ArchiveReader
from archive_store.search import parse_query

PAGE_ROWS = 50
SOURCE_OCTETS = 1024 * 1024
DAMAGED = (
    "This message is kept, but its sealed octets are damaged or were changed, so it is not shown. "
    "Your help desk can find it by the time at which it came. Your other messages are not affected."
)


class Keys(EntryKeys, SummaryKeys, Protocol):
    """What reading needs of the keys role."""


@dataclass(frozen=True, slots=True)
class Documents:
    """What turns a body into a page for the frame: `html` with the pictures that came along, both
    with the folded words to mark in it.
    """

    html: Callable[[str, Mapping[str, bytes], Sequence[str]], SafeDocument]
    text: Callable[[str, Sequence[str]], SafeDocument]
    picture: Callable[[bytes], str | None]  # its media type when the frame can show it


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingParts:
    """What reading is made of."""

    db: Database
    keys: Keys
    reader: ArchiveReader
    parsers: Parsers
    documents: Documents
    keep: timedelta
    now: Callable[[], datetime] = field(default=utc_now)


class Reading:
    """The use cases of the mail pages. Safe to share between threads."""

    def __init__(self, parts: ReadingParts) -> None:
        self._db = parts.db
        self._keys = parts.keys
        self._reader = parts.reader
        self._parsers = parts.parsers
        self._documents = parts.documents
        self._keep = parts.keep
        self._now = parts.now
        self._shelves = Shelves(parts.keys, parts.reader.installation)
        self._words = WordShelves()
        self.opener = Opener(parts.db, parts.keys, parts.reader, parts.keep, parts.now)

    def list_folder(
        self, viewer: Viewer, folder: str, *, page: int, filter: RowFilter, to: str = ""
    ) -> FolderPage:
        """One page of a folder, newest first. `to`: only what was sent to this address."""
        window = self._window(viewer)
        within = (*window.conditions, finding.in_folder(folder))
        wanted = (*within, *finding.passing(filter))
        with self._db.read() as tx:
            if to:
                found = self._sent_to(tx, viewer, finding.lines(tx, *wanted), to)
                return self._page(tx, viewer, folder, found, page)
            total = finding.count(tx, *wanted)
            number, pages, offset = _place(page, total)
            lines = finding.lines(tx, *wanted, limit=PAGE_ROWS, offset=offset)
            return FolderPage(
                folder=folder,
                rows=self._rows(tx, viewer, lines),
                total=total,
                unread=finding.count(tx, *within, Entry.seen.is_(False)),
                page=number,
                pages=pages,
            )

    def to_be_sent(self, viewer: Viewer) -> tuple[Row, ...]:
        window = self._window(viewer)
        with self._db.read() as tx:
            lines = finding.lines(tx, *window.everything, Entry.folder == OUTBOX)
            return self._rows(tx, viewer, lines)

    def counts(self, viewer: Viewer) -> Sidebar:
        """What the side bar says."""
        window = self._window(viewer)
        with self._db.read() as tx:
            tally = counting.Tally(tx, window)
            unread = tally.unread()
            mine = counting.receiving(tx, viewer)
            by_address: Mapping[str, int] = {mine[0].address_key: unread["inbox"]} if mine else {}
            if len(mine) > 1:
                wanted = (finding.in_folder("inbox"), *finding.passing("unread"))
                unread_ones = finding.seqs(tx, *window.conditions, *wanted)
                sent_to = self._shelves.sent_to(tx, viewer, unread_ones, self._now())
                by_address = counting.by_address(sent_to)
        return Sidebar(
            folders=unread,
            identities=tuple((one.address, by_address.get(one.address_key, 0)) for one in mine),
            week=tally.week(self._now(), self._keep),
        )

    def open_message(self, viewer: Viewer, entry_id: str) -> OpenMessage:
        """Open a message: audited, and marked as read."""
        try:
            opened = self.opener.open(viewer, entry_id, Purpose.OPEN)
        except (SealBroken, FrameBroken):
            return self._damaged(viewer, entry_id)
        parsed = self._parsers.message(opened.octets)
        entry = opened.entry
        entry.seen = True  # the keys role has written it down, with the audit event
        with self._db.read() as tx:
            delivery = delivery_state(tx, [entry.id])[entry.id]
            position = self._position(tx, viewer, entry)
        return OpenMessage(
            row=_row_of(opened, parsed, delivery),
            parsed=parsed,
            attachments=files.listed(parsed.attachments, self._shown(opened.octets, parsed)),
            envelope_to=opened.envelope.rcpt_to,
            leaves_on=entry.received_at + self._keep,
            delivery=handing.delivery_words(
                delivery, entry.folder, self._reader.installation, opened.content_key
            ),
            position=position,
            genuine=opened.genuine,
            blocked_images=remote_images(parsed.html) if parsed.html else 0,
        )

    def body_html(self, viewer: Viewer, entry_id: str, sought: str = "") -> SafeDocument:
        """The page for the frame. It belongs to the opening just audited. The words of the search
        `sought` are marked in it.
        """
        try:
            opened = self.opener.open(viewer, entry_id, Purpose.RENDER)
        except (SealBroken, FrameBroken):
            return self._documents.text(DAMAGED, ())
        parsed = self._parsers.message(opened.octets)
        needles = parse_query(sought).needles
        if parsed.unreadable:
            return self._documents.text(_source(opened.octets), needles)
        if parsed.html is None:
            return self._documents.text(parsed.text or "", needles)
        pictures = self._pictures(opened.octets, parsed)
        return self._documents.html(parsed.html, pictures, needles)

    def check(self, viewer: Viewer, entry_id: str) -> None:
        """NotFound unless the message is there and the viewer's own. Opens nothing."""
        self.opener.locate(viewer, entry_id)

    def original(self, viewer: Viewer, entry_id: str) -> bytes:
        """The octets as received; audited."""
        return self.opener.open(viewer, entry_id, Purpose.DOWNLOAD).octets

    def attachment(self, viewer: Viewer, entry_id: str, index: int) -> tuple[Attachment, bytes]:
        """An attachment's name and octets; audited."""
        opened = self.opener.open(viewer, entry_id, Purpose.ATTACHMENT, index)
        found = self._parsers.attachment(opened.octets, index)
        if found is None:
            raise NotFound("no such attachment")
        return found

    def search(self, viewer: Viewer, text: str, page: int, zone: tzinfo = UTC) -> SearchPage:
        """Search the mailbox; audited, without the words. Days in the words are those of `zone`."""
        window, now = self._window(viewer), self._now()
        query = parse_query(text, today=now.astimezone(zone).date(), zone=zone)
        wanted = [*window.conditions, Entry.folder.not_in(searching.left_out(query))]
        if query.folder in FOLDERS:
            wanted.append(Entry.folder == query.folder)
        found: list[EntryLine] = []
        with self._db.read() as tx:
            scan = Scan(tx, viewer, self._shelves, self._words, now)
            if not query.empty:
                found = list(scan.matching(query, finding.lines(tx, *wanted)))
            listed = self._page(tx, viewer, "search", found, page)
            rows = scan.around(query, _shown(found, listed), listed.rows)
        with self._db.write() as tx:
            event = MailboxSearched(mailbox_id=window.mailbox_id, found=len(found))
            audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=now)
        return SearchPage(
            page=replace(listed, rows=tuple(rows)),
            chips=searching.chips(query),
            problems=query.problems,
            needles=query.needles,
        )

    def move(self, viewer: Viewer, ids: Sequence[str], folder: str) -> None:
        """Put messages into another folder."""
        with self._db.write() as tx:
            entries = finding.find(tx, self._window(viewer), ids)
            filing.move(tx, viewer, entries, folder, self._now())

    def restore(self, viewer: Viewer, ids: Sequence[str]) -> None:
        """Put messages from the trash back where they came from."""
        with self._db.write() as tx:
            entries = finding.find(tx, self._window(viewer), ids)
            filing.restore(tx, viewer, entries, self._now())

    def mark(
        self,
        viewer: Viewer,
        ids: Sequence[str],
        *,
        seen: bool | None = None,
        starred: bool | None = None,
    ) -> None:
        """Mark messages as read or unread, with a star or without."""
        with self._db.write() as tx:
            entries = finding.find(tx, self._window(viewer), ids)
            filing.mark(tx, entries, seen=seen, starred=starred)

    def delete(self, viewer: Viewer, ids: Sequence[str]) -> None:
        """Put messages into the trash; those that lie there go for good, with their keys."""
        window = self._window(viewer)
        with self._db.read() as tx:
            entries = finding.find(tx, window, ids)
            final = [entry for entry in entries if entry.folder == finding.TRASH]
            slots = deletion.key_slots(tx, final)
        if final:
            # First of all: a backup of today that is brought back tomorrow knows nothing of it.
            self._keys.bury_entries(viewer.token, [entry.id for entry in final])
        # Before the rows, see `deletion`; and outside of the transaction, since each slot
        # waits for the disk and a write transaction holds up the mail that comes in.
        self._reader.segments.erase(slots)
        doomed = {entry.id for entry in final}
        with self._db.write() as tx:
            there = finding.find(tx, window, ids)
            gone = [entry for entry in there if entry.id in doomed]
            filing.trash(tx, viewer, [e for e in there if e.id not in doomed], self._now())
            filing.record_deleted(tx, viewer, gone, self._now())
            deletion.delete_entries(tx, gone)
        if gone:
            self.forget_entries([entry.seq for entry in gone])
            self._db.checkpoint()

    def forget_entries(self, seqs: Sequence[int]) -> None:
        """Entries are gone: drop what is opened of them from memory."""
        self._shelves.drop(seqs)
        self._words.drop(seqs)

    def forget(self, session_id: bytes) -> None:
        """A session ended: drop what it has opened from memory."""
        self._shelves.forget(session_id)
        self._words.forget(session_id)

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

    def _window(self, viewer: Viewer) -> Window:
        now = self._now()
        window = Window.of(viewer, now, self._keep)
        self._shelves.prune(now, window.after)
        self._words.prune(now, window.after)
        return window

    def _sent_to(
        self, tx: Session, viewer: Viewer, lines: Sequence[EntryLine], to: str
    ) -> list[EntryLine]:
        summaries = self._shelves.summaries(tx, viewer, lines, self._now())
        key = counting.key_of(to)
        spellings = {one.sent_to for one in summaries.values()}
        mine = {spelling for spelling in spellings if counting.key_of(spelling) == key}
        return [
            line for line in lines if line.seq in summaries and summaries[line.seq].sent_to in mine
        ]

    def _page(
        self, tx: Session, viewer: Viewer, folder: str, found: Sequence[EntryLine], page: int
    ) -> FolderPage:
        """A page of what a scan found."""
        number, pages, offset = _place(page, len(found))
        return FolderPage(
            folder=folder,
            rows=self._rows(tx, viewer, found[offset : offset + PAGE_ROWS]),
            total=len(found),
            unread=sum(not line.seen for line in found),
            page=number,
            pages=pages,
        )

    def _rows(self, tx: Session, viewer: Viewer, lines: Sequence[EntryLine]) -> tuple[Row, ...]:
        summaries = self._shelves.summaries(tx, viewer, lines, self._now())
        deliveries = delivery_state(tx, [line.id for line in lines])
        return tuple(
            rows.row(
                line,
                rows.parsed(summaries.get(line.seq)),
                only_here=handing.only_here(deliveries[line.id], line.folder),
            )
            for line in lines
        )

    def _position(self, tx: Session, viewer: Viewer, entry: Entry) -> Position:
        window = self._window(viewer)
        within = (*window.conditions, finding.in_folder(entry.folder))
        newer = finding.nearest(tx, *within, finding.newer_than(entry), oldest_first=True)
        older = finding.nearest(tx, *within, finding.older_than(entry), oldest_first=False)
        return Position(
            finding.count(tx, *within, finding.newer_than(entry)) + 1,
            finding.count(tx, *within),
            ids.show(newer) if newer else None,
            ids.show(older) if older else None,
        )

    def _damaged(self, viewer: Viewer, entry_id: str) -> OpenMessage:
        """What can be said of a message whose octets do not open."""
        entry, _ = self.opener.locate(viewer, entry_id)
        with self._db.read() as tx:
            row = self._rows(tx, viewer, [entry])[0]
            position = self._position(tx, viewer, entry)
        return OpenMessage(
            row=row,
            parsed=ParsedMessage(subject=row.subject, problems=(DAMAGED,), unreadable=True),
            attachments=(),
            envelope_to=row.sent_to,
            leaves_on=entry.received_at + self._keep,
            delivery=handing.delivery_words(NONE, entry.folder, self._reader.installation, None),
            position=position,
            genuine=False,
        )


def _row_of(opened: OpenedEntry, parsed: ParsedMessage, delivery: EntryDelivery) -> Row:
    """The row of an open message: from the message itself, so it is there before the index."""
    envelope = opened.envelope
    indexed = IndexedSummary(
        summarise(parsed), envelope.rcpt_to, envelope.mail_from, opened.genuine
    )
    only_here = handing.only_here(delivery, opened.entry.folder)
    return rows.row(opened.entry, indexed, only_here=only_here)


def _place(page: int, total: int) -> tuple[int, int, int]:
    """The page that there is, how many there are, and where its rows begin."""
    pages = max(1, -(-total // PAGE_ROWS))
    number = min(max(page, 1), pages)
    return number, pages, (number - 1) * PAGE_ROWS


def _shown(found: Sequence[EntryLine], listed: FolderPage) -> Sequence[EntryLine]:
    """The entries of a page's rows."""
    return found[(listed.page - 1) * PAGE_ROWS :][:PAGE_ROWS]


def _source(octets: bytes) -> str:
    """The message as it was written; header octets beyond ASCII are UTF-8 (RFC 6532)."""
    return octets[:SOURCE_OCTETS].decode("utf-8", "replace").replace("\r\n", "\n")
