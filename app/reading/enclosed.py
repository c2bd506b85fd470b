"""A mail that came as a file of another one (RFC 2046 section 5.2.1), opened in its place.

It is read through the message that came, whose owner alone gets there, and each opening is audited
as one of that message's attachment. At most MOST_DEEP mails are opened in one another.
"""

from app.file_views import EnclosedMail, Section
from app.keys.protocol import Purpose
from app.reading import files, posing
from app.reading.messages import Messages, marked_links
from app.viewer import Viewer
from app.views import SafeDocument
from archive_store.mime.html_text import remote_images


class Enclosed(Messages):
    """The use cases of enclosed mail."""

    def open_enclosed(self, viewer: Viewer, entry_id: str, section: Section) -> EnclosedMail:
        """Open an enclosed mail; audited. NotFound where the file is no mail."""
        entry, _ = self.opener.locate(viewer, entry_id)
        self.checks.show(viewer, entry)
        outer = self.opener.open(viewer, entry_id, Purpose.ATTACHMENT, section[0])
        octets = self._mail(outer.octets, section)
        parsed = self._parsers.message(octets)
        with self._db.read() as tx:
            told = posing.told_of(tx, viewer, parsed.sender) if parsed.sender else None
        return EnclosedMail(
            section=section,
            parsed=parsed,
            attachments=files.listed(parsed.attachments, self._shown(octets, parsed)),
            size=len(octets),
            files=self.checks.state(entry),
            blocked_images=remote_images(parsed.html) if parsed.html else 0,
            marked_links=marked_links(parsed),
            told=told,
        )

    def enclosed_body(self, viewer: Viewer, entry_id: str, section: Section) -> SafeDocument:
        """The page for the frame. It belongs to the opening of the message that came, and is
        audited as that where there was none of late.
        """
        outer = self.opener.open(viewer, entry_id, Purpose.RENDER)
        self.checks.show(viewer, outer.entry)
        return self._document(self._mail(outer.octets, section), (), None)
