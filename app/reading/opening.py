"""One message opened: its octets by the key that the keys role gives, parsed in a child process.

The keys role checks the session itself and writes the audit event before it answers; in the same
transaction it marks as read what is opened to be read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from app.keys.protocol import Purpose
from app.reading import filing, finding
from app.reading.finding import Window
from app.secret import Secret
from app.viewer import Viewer
from archive_store.db import Database
from archive_store.envelope import Envelope
from archive_store.errors import FrameBroken, NotFound, SealBroken
from archive_store.mime.invitation import Invitation
from archive_store.mime.values import Attachment, ParsedMessage
from archive_store.models import Entry, Message
from archive_store.reader import ArchiveReader


class EntryKeys(Protocol):
    """What the keys role gives a live session."""

    def open_entries(
        self,
        token: Secret,
        client_ip: str,
        entry_ids: Sequence[bytes],
        purpose: Purpose,
        attachment: int | None = None,
    ) -> dict[bytes, bytes]:
        """Content keys of the session's own entries; the audit event is written first."""

    def bury_entries(self, token: Secret, entry_ids: Sequence[bytes]) -> None:
        """Note durably that the session's own entries are deleted for good."""


class Parsers(Protocol):
    """The killable parser; it raises for no content."""

    def message(self, octets: bytes) -> ParsedMessage: ...
    def attachment(self, octets: bytes, index: int) -> tuple[Attachment, bytes] | None: ...
    def inline_images(self, octets: bytes) -> dict[str, bytes]: ...


class Calendars(Protocol):
    """What reads the invitation of a message, likewise."""

    def invitation(self, octets: bytes) -> Invitation | None: ...


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """An entry with its octets as received."""

    entry: Entry
    octets: bytes
    genuine: bool
    envelope: Envelope
    content_key: bytes


class Opener:
    """Opens a viewer's own entries."""

    def __init__(
        self,
        db: Database,
        keys: EntryKeys,
        reader: ArchiveReader,
        keep: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._keys = keys
        self._reader = reader
        self._keep = keep
        self._now = now

    @property
    def installation(self) -> bytes:
        return self._reader.installation

    def locate(self, viewer: Viewer, shown: str) -> tuple[Entry, Message]:
        """The rows of an entry of the viewer's, or NotFound. Nothing is opened."""
        window = Window.of(viewer, self._now(), self._keep)
        with self._db.read() as tx:
            entry = finding.find_one(tx, window, shown)
            message = tx.get(Message, entry.message_id)
        if message is None:
            raise NotFound("no such message")
        return entry, message

    def open(
        self, viewer: Viewer, shown: str, purpose: Purpose, attachment: int | None = None
    ) -> OpenedEntry:
        """An entry of the viewer's, or NotFound; SealBroken or FrameBroken when it is damaged."""
        entry, message = self.locate(viewer, shown)
        keys = self._keys.open_entries(
            viewer.token, viewer.client_ip, [entry.id], purpose, attachment
        )
        key = keys[entry.id]
        try:
            opened = self._reader.open(message, key)
            envelope = self._reader.envelope(message.tenant_id, entry, key)
        except (SealBroken, FrameBroken):
            if purpose is Purpose.OPEN and not entry.seen:
                # The keys role has marked it as read, and nobody could read it.
                with self._db.write() as tx:
                    filing.mark(tx, [entry], seen=False)
            raise
        return OpenedEntry(entry, opened.octets, opened.genuine, envelope, key)
