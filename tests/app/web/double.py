"""Use cases in memory, as the pages call them: state that changes, access that is refused."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from threading import Lock
from typing import Any

from app.file_views import (
    EnclosedMail,
    FilesLocked,
    FileState,
    FilesUnchecked,
    Paper,
    Section,
)
from app.pictures.picture import Picture, Sheets
from app.pictures.redraw import NotAPicture
from app.pictures.sheets import draw, look
from app.search_views import Chip, SearchPage
from app.viewer import Viewer
from app.views import (
    Correspondent,
    FolderPage,
    OpenMessage,
    Position,
    Row,
    RowFilter,
    SafeDocument,
    Sidebar,
)
from app.web.deps import PictureService, Services
from app.web.sanitize import Remote, plain_text_document, sanitize_html
from archive_store.errors import NotFound
from archive_store.search import parse_query
from tests.app.drawn import redraw_or_none
from tests.app.web import sample
from tests.app.web.account_double import AccountDouble
from tests.app.web.admin_double import AdminDouble
from tests.app.web.connection_double import DnsDouble, WebhookDouble
from tests.app.web.draft_double import DraftDouble
from tests.app.web.habit_double import HabitDouble
from tests.app.web.health_double import HealthDouble
from tests.app.web.hold_double import HoldDouble
from tests.app.web.hold_double import line as held_line
from tests.app.web.invitation_double import InvitationDouble
from tests.app.web.list_double import ListDouble
from tests.app.web.live_double import LiveDouble
from tests.app.web.method_double import EntranceDouble, MethodDeskDouble, MethodDouble
from tests.app.web.outage_double import OutageDouble, OutsideDouble
from tests.app.web.outbox_double import OutboxDouble
from tests.app.web.picture_double import PictureDouble, PictureSenderDouble
from tests.app.web.sample import Letter
from tests.app.web.sending_double import SendingDouble
from tests.app.web.settings_double import Settings
from tests.app.web.talk_double import TalkDouble, fits

PAGE = 8
ONE_BY_ONE = Lock()  # PDFium is for one thread; in the product each child has one
WEEK = (38, 41, 29, 6, 4, 44, 24)


@dataclass
class ReadingDouble(TalkDouble):
    """One mailbox, Vlad's. Every call is noted, for tests that ask what was called."""

    letters: list[Letter] = field(default_factory=sample.letters)
    calls: list[tuple[str, object]] = field(default_factory=list)
    fails: Exception | None = None

    def place_of(self, entry_id: str) -> int:
        for place, letter in enumerate(self.letters):
            if letter.row.id == entry_id:
                return place
        raise NotFound

    def _rows(self, folder: str) -> list[Row]:
        rows = [letter.row for letter in self.letters]
        if folder == "starred":
            return [row for row in rows if row.starred]
        return [row for row in rows if row.folder == folder]

    def _change(self, ids: Sequence[str], **changes: Any) -> None:
        for place in [self.place_of(entry_id) for entry_id in ids]:
            letter = self.letters[place]
            row = replace(letter.row, **changes)
            self.letters[place] = replace(letter, row=row)

    def list_folder(
        self, viewer: Viewer, folder: str, *, page: int, filter: RowFilter, to: str = ""
    ) -> FolderPage:
        if self.fails:
            raise self.fails
        rows = [row for row in self._rows(folder) if fits(row, filter) and to in ("", row.sent_to)]
        rows.sort(key=lambda row: row.received_at, reverse=True)
        return _page(folder, rows, page, sum(not row.seen for row in self._rows(folder)))

    def counts(self, viewer: Viewer) -> Sidebar:
        if self.fails:
            raise self.fails
        folders = {
            name: sum(name == "drafts" or not row.seen for row in self._rows(name))
            for name in ("inbox", "spam", "trash", "sent", "archive", "drafts")
        }
        unread = [row for row in self._rows("inbox") if not row.seen]
        today = date(2026, 11, 24)
        return Sidebar(
            folders=folders,
            identities=tuple(
                (address, sum(row.sent_to == address for row in unread))
                for address in sample.IDENTITIES
            ),
            week=tuple((today - timedelta(days=6 - n), count) for n, count in enumerate(WEEK)),
        )

    def open_message(
        self,
        viewer: Viewer,
        entry_id: str,
        folder: str = "",
        *,
        filter: RowFilter = "all",
        to: str = "",
    ) -> OpenMessage:
        self.calls.append(("open_message", entry_id))
        self._change([entry_id], seen=True)
        letter = self.letters[self.place_of(entry_id)]
        rows = sorted(self._rows(letter.row.folder), key=lambda row: row.received_at, reverse=True)
        shown = [row for row in rows if fits(row, filter) and to in ("", row.sent_to)]
        ids = [row.id for row in rows if row in shown or row.id == entry_id]
        at = ids.index(entry_id)
        return OpenMessage(
            row=letter.row,
            parsed=letter.parsed,
            attachments=letter.attachments,
            envelope_to=letter.row.sent_to,
            leaves_on=letter.row.received_at + sample.KEEP,
            delivery=letter.delivery,
            position=Position(
                at + 1,
                len(ids),
                ids[at - 1] if at else None,
                ids[at + 1] if at + 1 < len(ids) else None,
            ),
            genuine=letter.genuine,
            blocked_images=letter.blocked_images,
            marked_links=letter.marked_links,
            zips=len(letter.attachments) > 1,
            told=letter.told,
            check=letter.check,
            first_time=letter.first_time,
            leaving=letter.leaving,
            invitation=letter.invitation,
            files=letter.files,
            virus="Eicar-Test" if letter.files == "infected" else "",
        )

    def body_html(
        self, viewer: Viewer, entry_id: str, sought: str, remote: Remote | None = None
    ) -> SafeDocument:
        letter = self.letters[self.place_of(entry_id)]
        needles = parse_query(sought).needles
        if letter.parsed.html is not None:
            return sanitize_html(letter.parsed.html, None, needles, remote)
        return plain_text_document(letter.text, needles)

    def original(self, viewer: Viewer, entry_id: str, *, unchecked: bool = False) -> bytes:
        self._clear(entry_id, unchecked)
        return self.source(viewer, entry_id)

    def _clear(self, entry_id: str, unchecked: bool) -> None:
        state = FileState(self.letters[self.place_of(entry_id)].files)
        if state is FileState.INFECTED:
            raise FilesLocked
        if state in (FileState.UNCHECKED, FileState.LARGE) and not unchecked:
            raise FilesUnchecked(state)

    def source(self, viewer: Viewer, entry_id: str) -> bytes:
        self.calls.append(("original", entry_id))
        letter = self.letters[self.place_of(entry_id)]
        head = f"From: {letter.row.sender_address}\r\nSubject: <script>{letter.row.subject}\r\n\r\n"
        return head.encode() + letter.text.encode() + b"\xff\r\n"

    def check(self, viewer: Viewer, entry_id: str) -> None:
        self.place_of(entry_id)

    def leaves_at(self, viewer: Viewer, entry_id: str) -> datetime:
        return self.letters[self.place_of(entry_id)].row.received_at + sample.KEEP

    def still_there(self, viewer: Viewer, shown: Sequence[str]) -> frozenset[str]:
        there = (letter.row.id for letter in self.letters if letter.row.folder != "trash")
        return frozenset(there) & frozenset(shown)

    def attachment(
        self, viewer: Viewer, entry_id: str, section: Section, *, unchecked: bool = False
    ) -> tuple[sample.Attachment, bytes]:
        self._clear(entry_id, unchecked)
        self.calls.append(("attachment", (entry_id, section)))
        for file in self.letters[self.place_of(entry_id)].attachments:
            if file.index == section[-1]:
                return file, file.octets
        raise NotFound

    def open_enclosed(self, viewer: Viewer, entry_id: str, section: Section) -> EnclosedMail:
        """Any file is a mail: the letter that it is a file of."""
        file, _ = self.attachment(viewer, entry_id, section, unchecked=True)
        letter = self.letters[self.place_of(entry_id)]
        return EnclosedMail(
            section=section,
            parsed=letter.parsed,
            attachments=letter.attachments,
            size=file.size,
            blocked_images=letter.blocked_images,
            files=letter.files,
            told=letter.told,
        )

    def enclosed_body(self, viewer: Viewer, entry_id: str, section: Section) -> SafeDocument:
        self.attachment(viewer, entry_id, section, unchecked=True)
        return self.body_html(viewer, entry_id, "")

    def preview(
        self, viewer: Viewer, entry_id: str, section: Section, longest: int
    ) -> Picture | None:
        _, octets = self.attachment(viewer, entry_id, section, unchecked=True)
        return redraw_or_none(octets, longest)

    def open_paper(self, viewer: Viewer, entry_id: str, section: Section, first: int) -> Paper:
        file, octets = self.attachment(viewer, entry_id, section, unchecked=True)
        try:
            with ONE_BY_ONE:
                found = look(octets, first)
        except NotAPicture:
            found = Sheets(0, ())
        return Paper(
            section=section,
            filename=file.filename,
            first=first,
            count=found.count,
            sheets=found.sheets,
        )

    def sheet(
        self, viewer: Viewer, entry_id: str, section: Section, number: int, longest: int
    ) -> Picture | None:
        _, octets = self.attachment(viewer, entry_id, section, unchecked=True)
        try:
            with ONE_BY_ONE:
                return draw(octets, number, longest)
        except NotAPicture:
            return None

    def attachments(
        self, viewer: Viewer, entry_id: str, *, unchecked: bool = False
    ) -> Iterator[tuple[sample.Attachment, bytes]]:
        self._clear(entry_id, unchecked)
        self.calls.append(("attachments", entry_id))
        files = self.letters[self.place_of(entry_id)].attachments
        return ((file, file.octets) for file in files)

    def search(self, viewer: Viewer, text: str, page: int, zone: tzinfo) -> SearchPage:
        self.calls.append(("search", text))
        chips = tuple(_chip(word) for word in text.split())
        words = [chip.value.casefold() for chip in chips if not chip.bad and chip.name != "has"]
        rows = [
            letter.row
            for letter in self.letters
            if all(
                word
                in f"{letter.row.sender_name} {letter.row.subject} {letter.row.preview}".casefold()
                for word in words
            )
        ]
        query = parse_query(text, zone=zone)
        return SearchPage(
            page=_page("", rows, page, 0),
            chips=chips,
            problems=query.problems,
            needles=query.needles,
        )

    def suggest(self, viewer: Viewer, typed: str) -> tuple[Correspondent, ...]:
        people = {(one.row.sender_name, one.row.sender_address) for one in self.letters}
        return tuple(
            Correspondent(name=name, address=address)
            for name, address in sorted(people)
            if typed and typed.lower() in f"{name} {address}".lower()
        )

    def move(self, viewer: Viewer, ids: Sequence[str], folder: str) -> None:
        self._change(ids, folder=folder)

    def delete(self, viewer: Viewer, ids: Sequence[str]) -> None:
        for entry_id in ids:
            place = self.place_of(entry_id)
            if self.letters[place].row.folder == "trash":
                del self.letters[place]
            else:
                self._change([entry_id], folder="trash")

    def restore(self, viewer: Viewer, ids: Sequence[str]) -> None:
        self._change(ids, folder="inbox")

    def mark(
        self,
        viewer: Viewer,
        ids: Sequence[str],
        *,
        seen: bool | None = None,
        starred: bool | None = None,
    ) -> None:
        wanted = {"seen": seen, "starred": starred}
        self._change(ids, **{name: value for name, value in wanted.items() if value is not None})


def _page(folder: str, rows: list[Row], page: int, unread: int) -> FolderPage:
    pages = max(1, -(-len(rows) // PAGE))
    shown = tuple(rows[(page - 1) * PAGE : page * PAGE])
    return FolderPage(
        folder=folder, rows=shown, total=len(rows), unread=unread, page=page, pages=pages
    )


def _chip(word: str) -> Chip:
    name, colon, value = word.partition(":")
    if not colon:
        return Chip(name="", value=word)
    return Chip(name=name, value=value, bad=name not in ("from", "has", "subject", "after"))


@dataclass
class World:
    """All doubles together."""

    reading: ReadingDouble = field(default_factory=ReadingDouble)
    drafts: DraftDouble = field(init=False)
    outbox: OutboxDouble = field(init=False)
    live: LiveDouble = field(default_factory=LiveDouble)
    habits: HabitDouble = field(default_factory=HabitDouble)
    picture_senders: PictureSenderDouble = field(init=False)
    accounts: AccountDouble = field(default_factory=AccountDouble)
    entrance: EntranceDouble = field(init=False)
    methods: MethodDouble = field(default_factory=MethodDouble)
    method_desk: MethodDeskDouble = field(default_factory=MethodDeskDouble)
    admin: AdminDouble = field(default_factory=AdminDouble)
    holds: HoldDouble = field(
        default_factory=lambda: HoldDouble([held_line(0, "dana@acme.example", "x")])
    )
    outages: OutageDouble = field(init=False)
    outside: OutsideDouble = field(default_factory=OutsideDouble)
    dns: DnsDouble = field(init=False)
    webhooks: WebhookDouble = field(init=False)
    health: HealthDouble = field(default_factory=HealthDouble)
    settings: Settings = field(default_factory=Settings)
    pictures: PictureService | None = field(default_factory=PictureDouble)
    sending: SendingDouble = field(init=False)
    invitations: InvitationDouble = field(init=False)
    lists: ListDouble = field(init=False)

    def __post_init__(self) -> None:
        self.drafts = DraftDouble(self.reading)
        self.picture_senders = PictureSenderDouble(self.reading)
        self.entrance = EntranceDouble(self.accounts.visits)
        self.outages = OutageDouble(self.admin)
        self.dns = DnsDouble(self.admin)
        self.webhooks = WebhookDouble(self.admin)
        self.outbox = OutboxDouble(self.reading, self.drafts)
        self.sending = SendingDouble(self.reading, self.drafts, self.outbox, self.habits)
        self.invitations = InvitationDouble(self.reading)
        self.lists = ListDouble(self.reading)

    def services(self) -> Services:
        return Services(
            reading=self.reading,
            live=self.live,
            sending=self.sending,
            invitations=self.invitations,
            lists=self.lists,
            drafts=self.drafts,
            outbox=self.outbox,
            habits=self.habits,
            picture_senders=self.picture_senders,
            accounts=self.accounts,
            entrance=self.entrance,
            methods=self.methods,
            method_desk=self.method_desk,
            admin=self.admin,
            holds=self.holds,
            outages=self.outages,
            outside=self.outside,
            dns=self.dns,
            webhooks=self.webhooks,
            health=self.health,
            config=self.settings,
            pictures=self.pictures,
            now=lambda: sample.NOW,
        )
