"""Lists: a folder, what is to be sent, what a search finds, and the side bar."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo

from sqlalchemy.orm import Session

from app import audit
from app.audit.events import MailboxSearched
from app.reading import counting, finding, searching
from app.reading.desk import Desk
from app.reading.finding import EntryLine
from app.reading.searching import Scan
from app.search_views import SearchPage
from app.viewer import Viewer
from app.views import FolderPage, Row, RowFilter, Sidebar
from archive_store.models import FOLDERS, OUTBOX, Entry
from archive_store.search import parse_query

PAGE_ROWS = 50


class Lists(Desk):
    """The use cases of lists."""

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
            number, pages, offset = place(page, total)
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

    def _page(
        self, tx: Session, viewer: Viewer, folder: str, found: Sequence[EntryLine], page: int
    ) -> FolderPage:
        """A page of what a scan found."""
        number, pages, offset = place(page, len(found))
        return FolderPage(
            folder=folder,
            rows=self._rows(tx, viewer, found[offset : offset + PAGE_ROWS]),
            total=len(found),
            unread=sum(not line.seen for line in found),
            page=number,
            pages=pages,
        )


def place(page: int, total: int) -> tuple[int, int, int]:
    """The page that there is, how many there are, and where its rows begin."""
    pages = max(1, -(-total // PAGE_ROWS))
    number = min(max(page, 1), pages)
    return number, pages, (number - 1) * PAGE_ROWS


def _shown(found: Sequence[EntryLine], listed: FolderPage) -> Sequence[EntryLine]:
    """The entries of a page's rows."""
    return found[(listed.page - 1) * PAGE_ROWS :][:PAGE_ROWS]
