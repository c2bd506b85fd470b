"""Conversations of the sample mailbox: the letters whose `talk` is the same."""

from collections.abc import Sequence
from dataclasses import replace

from app.conversation_views import OpenConversation, newest_received
from app.viewer import Viewer
from app.views import (
    Face,
    FolderPage,
    OpenMessage,
    Position,
    Row,
    RowFilter,
)
from archive_store.errors import NotFound
from tests.app.web.sample import Letter


class TalkDouble:
    """What a mailbox in memory does with conversations; it has the letters and opens them."""

    letters: list[Letter]

    def open_message(
        self,
        viewer: Viewer,
        entry_id: str,
        folder: str = "",
        *,
        filter: RowFilter = "all",
        to: str = "",
    ) -> OpenMessage:
        raise NotImplementedError

    def list_folder(
        self, viewer: Viewer, folder: str, *, page: int, filter: RowFilter, to: str = ""
    ) -> FolderPage:
        raise NotImplementedError

    def open_alone(self, viewer: Viewer, entry_id: str) -> OpenMessage:
        return self.open_message(viewer, entry_id)

    def _talk(self, entry_id: str) -> list[Row]:
        for letter in self.letters:
            if letter.row.id == entry_id:
                mine = letter.talk
                found = [one.row for one in self.letters if one is letter or one.talk == mine != ""]
                kept = [row for row in found if row.folder != "trash" or row.id == entry_id]
                return sorted(kept, key=lambda row: row.received_at)
        raise NotFound

    def list_conversations(
        self, viewer: Viewer, folder: str, *, page: int, filter: RowFilter, to: str = ""
    ) -> FolderPage:
        rows: dict[str, Row] = {}
        listed = self.list_folder(viewer, folder, page=page, filter=filter, to=to)
        for row in listed.rows:
            talk = self._talk(row.id)
            faces = (Face(r.sender_name, r.sender_address, r.folder == "sent") for r in talk)
            found = replace(row, count=len(talk), faces=tuple(faces))
            rows.setdefault(talk[0].id, found)
        return replace(listed, rows=tuple(rows.values()))

    def open_conversation(
        self, viewer: Viewer, folder: str, entry_id: str, *, filter: RowFilter, to: str
    ) -> OpenConversation:
        rows = self._talk(entry_id)
        unread = [row.id for row in rows if not row.seen]
        wanted = dict.fromkeys((entry_id, rows[-1].id, newest_received(rows).id, *unread))
        return OpenConversation(
            rows=tuple(rows),
            opened={one: self.open_message(viewer, one) for one in wanted},
            position=Position(1, 2, None, None),
        )

    def whole(self, viewer: Viewer, folder: str, shown: Sequence[str]) -> tuple[str, ...]:
        here = [row.id for one in shown for row in self._talk(one) if row.folder == folder]
        return tuple(dict.fromkeys((*shown, *here)))


def fits(row: Row, wanted: RowFilter) -> bool:
    return {
        "all": True,
        "unread": not row.seen,
        "starred": row.starred,
        "attachments": row.has_attachments,
    }[wanted]
