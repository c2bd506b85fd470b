"""Conversations: a folder with a row for each, one opened as a page, and deeds done to all of one.

A conversation is of the whole mailbox: what the person sent is in it, wherever else its messages
lie. Not what lies in the trash, in spam or in drafts, unless that is the folder looked at. It
stands in a list by its newest message in that folder, and that one names its row: what
came since has another name, so that nothing is filed or deleted that nobody saw.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from app.conversation_views import OpenConversation, newest_received
from app.delivery.state import delivery_state
from app.file_views import FileState
from app.reading import finding, handing, rows
from app.reading.counting import DRAFTS
from app.reading.finding import STARRED, TRASH, EntryLine, Window
from app.reading.handing import SENT
from app.reading.lists import PAGE_ROWS, Lists, place
from app.reading.messages import Messages
from app.viewer import Viewer
from app.views import (
    NOWHERE,
    Face,
    FolderPage,
    Position,
    Row,
    RowFilter,
)
from archive_store import ids
from archive_store.models import Entry
from archive_store.threads import Threads

MOST_SHOWN = 100  # messages of one conversation, the newest ones
MOST_OPENED = 10  # of those that are unread, with the page of a conversation
MOST_FACES = 6  # messages whose senders name a row: the first one and the newest
_AT_ONCE = 500
_ASIDE = (TRASH, "spam", DRAFTS)


@dataclass(frozen=True, slots=True)
class _Group:
    """A conversation in a list: its messages, newest first, and those of them in the folder.
    `older`: how many it has beyond MOST_SHOWN, wherever these lie.
    """

    lines: Sequence[EntryLine]
    here: Sequence[EntryLine]
    older: int

    @property
    def newest(self) -> EntryLine:
        return self.here[0]

    @property
    def faces(self) -> Sequence[EntryLine]:
        """Oldest first."""
        if len(self.lines) <= MOST_FACES:
            return self.lines[::-1]
        return [self.lines[-1], *self.lines[MOST_FACES - 2 :: -1]]


class Conversations(Lists, Messages):
    """The use cases of conversations."""

    def list_conversations(
        self, viewer: Viewer, folder: str, *, page: int, filter: RowFilter, to: str = ""
    ) -> FolderPage:
        """As `list_folder`, with a row for each conversation that has such a message."""
        window = self._window(viewer)
        within = (*window.conditions, finding.in_folder(folder))
        wanted = (*within, *finding.passing(filter))
        with self._db.read() as tx:
            numbers = self._numbers(tx, viewer, wanted, to)
            with self._joined.threads(tx, viewer, window, self._now()) as threads:
                heads = list(_heads(threads, numbers).values())
                number, pages, offset = place(page, len(heads))
                shown = heads[offset : offset + PAGE_ROWS]
                members = [sorted(threads.members(seq)) for seq in shown]
            groups = list(_groups(tx, window, folder, members))
            return FolderPage(
                folder=folder,
                rows=self._conversation_rows(tx, viewer, groups),
                total=len(heads),
                unread=finding.count(tx, *within, Entry.seen.is_(False)),
                page=number,
                pages=pages,
            )

    def open_conversation(
        self,
        viewer: Viewer,
        folder: str,
        entry_id: str,
        *,
        filter: RowFilter = "all",
        to: str = "",
    ) -> OpenConversation:
        """The conversation of a message, oldest first. That one, the newest (of all, and of
        what was received) and the unread ones are opened, each as `open_message` does it; of the
        others nothing is. Its place is that in the list as `list_conversations` gives it.
        """
        window = self._window(viewer)
        with self._db.read() as tx:
            entry = finding.find_one(tx, window, entry_id)
            there = (*window.conditions, finding.beside(entry, folder, filter))
            numbers_there = self._numbers(tx, viewer, there, to)
            with self._joined.threads(tx, viewer, window, self._now()) as threads:
                members = threads.members(entry.seq)
                numbers = {entry.seq, *sorted(members)[-MOST_SHOWN:]}
                position = _position(tx, threads, numbers_there, entry)
            lines = [
                line
                for line in finding.lines(tx, *window.conditions, Entry.seq.in_(numbers))
                if line.seq == entry.seq or _belongs(line, entry.folder)
            ]
            listed = self._rows(tx, viewer, lines)
        unread = [row.id for row in listed if not row.seen][:MOST_OPENED]
        oldest_first = listed[::-1]
        newest = (oldest_first[-1].id, newest_received(oldest_first).id)
        wanted = dict.fromkeys((entry_id, *newest, *unread))
        return OpenConversation(
            rows=oldest_first,
            opened={one: self.open_alone(viewer, one) for one in wanted},
            position=position,
            left_out=len(members) - len(numbers),
        )

    def whole(self, viewer: Viewer, folder: str, shown: Sequence[str]) -> tuple[str, ...]:
        """All messages in a folder of the conversations that these messages name there."""
        window = self._window(viewer)
        with self._db.read() as tx:
            entries = finding.find(tx, window, shown)
            with self._joined.threads(tx, viewer, window, self._now()) as threads:
                upto: dict[int, Entry] = {}
                for entry in sorted(entries, key=_age):
                    upto |= dict.fromkeys(threads.members(entry.seq), entry)
            found = [
                ids.show(line.id)
                for line in _lines(tx, list(upto), *window.conditions, finding.in_folder(folder))
                if _age(line) <= _age(upto[line.seq])
            ]
        return tuple(dict.fromkeys((*shown, *found)))

    def _numbers(
        self, tx: Session, viewer: Viewer, wanted: Sequence[ColumnElement[bool]], to: str
    ) -> Sequence[int]:
        """The messages that give a list its conversations, newest first."""
        if not to:
            return finding.newest_seqs(tx, *wanted)
        return [one.seq for one in self._sent_to(tx, viewer, finding.lines(tx, *wanted), to)]

    def _conversation_rows(
        self, tx: Session, viewer: Viewer, groups: Sequence[_Group]
    ) -> tuple[Row, ...]:
        wanted = {line.seq: line for group in groups for line in (group.newest, *group.faces)}
        summaries = self._shelves.summaries(tx, viewer, list(wanted.values()), self._now())
        parsed = {seq: rows.parsed(summary) for seq, summary in summaries.items()}
        deliveries = delivery_state(tx, [group.newest.id for group in groups])
        found = []
        for group in groups:
            newest = group.newest
            only_here = handing.only_here(deliveries[newest.id], newest.folder)
            faces = [
                Face(one.summary.sender_name, one.summary.sender_address, line.folder == SENT)
                for line in group.faces
                if (one := parsed.get(line.seq)) is not None
            ]
            found.append(
                replace(
                    rows.row(newest, parsed.get(newest.seq), only_here=only_here),
                    seen=all(line.seen for line in group.here),
                    starred=any(line.starred for line in group.here),
                    has_attachments=any(line.attachments for line in group.lines),
                    infected=any(line.scan == FileState.INFECTED for line in group.lines),
                    count=len(group.lines) + group.older,
                    faces=tuple(faces),
                )
            )
        return tuple(found)


def _heads(threads: Threads, numbers: Sequence[int]) -> dict[int, int]:
    """The conversations of messages that stand newest first, each with its newest one."""
    heads: dict[int, int] = {}
    of = threads.of
    for number in numbers:
        heads.setdefault(of(number), number)
    return heads


def _age(line: EntryLine | Entry) -> tuple[object, int]:
    return line.received_at, line.seq


def _belongs(line: EntryLine, folder: str) -> bool:
    return line.folder not in _ASIDE or line.folder == folder


def _is_in(line: EntryLine, folder: str) -> bool:
    """As `finding.in_folder`."""
    return line.starred and line.folder != TRASH if folder == STARRED else line.folder == folder


def _lines(
    tx: Session, numbers: Sequence[int], *conditions: ColumnElement[bool]
) -> Iterable[EntryLine]:
    for at in range(0, len(numbers), _AT_ONCE):
        some = Entry.seq.in_(numbers[at : at + _AT_ONCE])
        yield from finding.lines(tx, some, *conditions)


def _groups(
    tx: Session, window: Window, folder: str, members: Sequence[Sequence[int]]
) -> Iterable[_Group]:
    """Of conversations whose messages stand oldest first; those without one in the folder go."""
    wanted = [seq for some in members for seq in some[-MOST_SHOWN:]]
    lines = {line.seq: line for line in _lines(tx, wanted, *window.conditions)}
    for some in members:
        mine = [
            line
            for seq in some[-MOST_SHOWN:]
            if (line := lines.get(seq)) and _belongs(line, folder)
        ]
        mine.sort(key=_age, reverse=True)
        here = [line for line in mine if _is_in(line, folder)]
        if here:
            yield _Group(mine, here, max(0, len(some) - MOST_SHOWN))


def _position(tx: Session, threads: Threads, numbers: Sequence[int], entry: Entry) -> Position:
    """The place of a message's conversation in a list that has these messages."""
    heads = _heads(threads, numbers)
    roots = list(heads)
    mine = threads.of(entry.seq)
    if mine not in heads:
        return NOWHERE
    at = roots.index(mine)
    beside = [heads[root] for root in (*roots[max(at - 1, 0) : at], *roots[at + 1 : at + 2])]
    named = {one.seq: ids.show(one.id) for one in finding.numbers(tx, Entry.seq.in_(beside))}
    return Position(
        at + 1,
        len(roots),
        named.get(heads[roots[at - 1]]) if at else None,
        named.get(heads[roots[at + 1]]) if at + 1 < len(roots) else None,
    )
