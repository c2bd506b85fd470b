"""Pictures among the files of a message, small or large, always drawn anew (`pictures.easel`)."""

from app.file_views import Section, is_picture
from app.keys.protocol import Purpose
from app.pictures.picture import Picture
from app.reading.messages import Messages
from app.viewer import Viewer
from archive_store.errors import NotFound


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
