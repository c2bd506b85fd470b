"""Pictures among the files of a message, small or large, and pages of PDF files: always drawn anew
(`pictures.easel`, `pictures.light_table`).
"""

from app.file_views import Paper, Section, is_paper, is_picture
from app.keys.protocol import Purpose
from app.pictures.picture import Picture
from app.reading.messages import Messages
from app.viewer import Viewer
from archive_store.errors import NotFound
from archive_store.mime.values import Attachment


class Previews(Messages):
    """The use case of previews."""

    def preview(
        self, viewer: Viewer, entry_id: str, section: Section, longest: int
    ) -> Picture | None:
        """A picture, at most `longest` pixels on either side; None where it cannot be drawn, and
        NotFound where the file does not say that it is one.

        It shows what the page of the message shows, so it belongs to the opening of that, and is
        audited as one where there was none of late.
        """
        opened = self.opener.open(viewer, entry_id, Purpose.RENDER)
        self.checks.show(viewer, opened.entry)
        facts, picture = self._read(opened.octets, section)
        if not is_picture(facts):
            raise NotFound("no such picture")
        return self._redraw(picture, longest)

    def open_paper(self, viewer: Viewer, entry_id: str, section: Section, first: int) -> Paper:
        """Some pages of a PDF, from one on (the first is 1), with their text; without any where it
        cannot be shown. Audited as an opening of the file; NotFound where it claims to be no PDF.
        """
        entry, _ = self.opener.locate(viewer, entry_id)
        self.checks.show(viewer, entry)
        octets = self.opener.open(viewer, entry_id, Purpose.ATTACHMENT, section[0]).octets
        facts, document = self._read_paper(octets, section)
        found = self._papers.look(document, first)
        return Paper(
            section=section,
            filename=facts.filename,
            first=first,
            count=found.count if found else 0,
            sheets=found.sheets if found else (),
            files=self.checks.state(entry),
        )

    def sheet(
        self, viewer: Viewer, entry_id: str, section: Section, number: int, longest: int
    ) -> Picture | None:
        """One page of it as a picture, as `preview` gives one."""
        opened = self.opener.open(viewer, entry_id, Purpose.RENDER)
        self.checks.show(viewer, opened.entry)
        return self._papers.draw(self._read_paper(opened.octets, section)[1], number, longest)

    def _read_paper(self, octets: bytes, section: Section) -> tuple[Attachment, bytes]:
        facts, document = self._read(octets, section)
        if not is_paper(facts):
            raise NotFound("no such document")
        return facts, document
