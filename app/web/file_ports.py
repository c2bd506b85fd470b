"""The files of a message, as the pages call them (`app.web.deps` has the other use cases)."""

from collections.abc import Iterator
from typing import Protocol

from app.file_views import EnclosedMail, Paper, Section
from app.pictures.picture import Picture
from app.viewer import Viewer
from app.views import AttachmentFacts, SafeDocument


class FileService(Protocol):
    """What is given of a message besides its text."""

    def original(self, viewer: Viewer, entry_id: str, *, unchecked: bool = False) -> bytes:
        """This and the files raise FilesLocked, or FilesUnchecked unless `unchecked`."""

    def source(self, viewer: Viewer, entry_id: str) -> bytes: ...
    def attachment(
        self, viewer: Viewer, entry_id: str, section: Section, *, unchecked: bool = False
    ) -> tuple[AttachmentFacts, bytes]: ...
    def open_enclosed(self, viewer: Viewer, entry_id: str, section: Section) -> EnclosedMail: ...
    def enclosed_body(self, viewer: Viewer, entry_id: str, section: Section) -> SafeDocument: ...
    def preview(
        self, viewer: Viewer, entry_id: str, section: Section, longest: int
    ) -> Picture | None:
        """A picture among the files; None where it cannot be drawn."""

    def open_paper(self, viewer: Viewer, entry_id: str, section: Section, first: int) -> Paper: ...
    def sheet(
        self, viewer: Viewer, entry_id: str, section: Section, number: int, longest: int
    ) -> Picture | None:
        """A page of a PDF; None where it cannot be drawn."""

    def attachments(
        self, viewer: Viewer, entry_id: str, *, unchecked: bool = False
    ) -> Iterator[tuple[AttachmentFacts, bytes]]:
        """All that are listed, when `OpenMessage.zips`; each is read when its turn comes."""
