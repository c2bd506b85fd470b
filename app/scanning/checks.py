"""`FileChecks`: whether the files of a message may be given to somebody who asks for them.

Infected ones may not, to nobody: an administrator of a domain sees no content and could not judge,
and whoever could is the operator, whose clamd is told that it was wrong (clamdscan(1),
a file of its ignored signatures). So the lock opens when clamd, asked again, finds nothing. What
was not looked at yet, or by older signatures, is looked at now; when clamd cannot say, the person
is warned.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from app import audit
from app.audit.events import LockedFileRefused
from app.file_views import FilesLocked, FileState, FilesUnchecked
from app.scanning import verdicts
from app.scanning.clamd import ScannerAway
from app.scanning.scanner import Scanner, Verdict
from app.viewer import Viewer
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.models import Entry

PATIENCE: Final = 10.0  # seconds that somebody who asks for a file waits for clamd


class FileChecks:
    """The checks of the web role. Without a scanner nothing is locked and nothing is said."""

    def __init__(
        self,
        db: Database,
        scanner: Scanner | None = None,
        now: Callable[[], datetime] = utc_now,
        patience: float = PATIENCE,
    ) -> None:
        self._db = db
        self._scanner = scanner
        self._now = now
        self._patience = patience

    def state(self, entry: Entry) -> FileState:
        """What the pages say of the files of an entry; clamd is not asked."""
        if self._scanner is None:
            return FileState.OFF
        return FileState(entry.scan or FileState.UNCHECKED)

    def needs(self, entry: Entry) -> bool:
        """Whether `clear` would have to look. What is infected is looked at each time."""
        if self._scanner is None:
            return False
        if entry.scan != FileState.CLEAN:
            return True
        try:
            return self._scanner.version() != entry.scan_by
        except ScannerAway:
            return False  # the verdict that is there is the best to be had

    def clear(self, viewer: Viewer, entry: Entry, octets: bytes, *, unchecked: bool) -> None:
        """Raise FilesLocked when they may not be given, and FilesUnchecked when clamd cannot say,
        unless the person has been warned of that.
        """
        if self._scanner is None:
            return
        try:
            verdict = self._scanner.judge(octets, self._patience)
        except ScannerAway:
            if entry.scan == FileState.INFECTED:
                self.refuse(viewer, entry)
            # Older signatures found nothing: that is more than nobody having looked.
            if entry.scan != FileState.CLEAN and not unchecked:
                raise FilesUnchecked(FileState.UNCHECKED) from None
            return
        self._keep(entry, verdict)
        if verdict.state is FileState.INFECTED:
            self.refuse(viewer, entry)
        if verdict.state is FileState.LARGE and not unchecked:
            raise FilesUnchecked(FileState.LARGE)

    def show(self, viewer: Viewer, entry: Entry) -> None:
        """Raise FilesLocked when they are known to be infected: for what is drawn anew or shown as
        text, which needs no verdict first.
        """
        if self.state(entry) is FileState.INFECTED:
            self.refuse(viewer, entry)

    def refuse(self, viewer: Viewer, entry: Entry) -> None:
        """Write down that locked files were asked for, and raise FilesLocked."""
        event = LockedFileRefused(mailbox_id=entry.mailbox_id, entry_id=entry.id)
        with self._db.write() as tx:
            trail = viewer.user.domain_id
            audit.record(tx, event, trail=trail, actor=viewer.actor, at=self._now())
        raise FilesLocked

    def _keep(self, entry: Entry, verdict: Verdict) -> None:
        if (verdict.state, verdict.found, verdict.by) == (
            entry.scan,
            entry.scan_found,
            entry.scan_by,
        ):
            return
        with self._db.write() as tx:
            verdicts.keep(tx, entry.message_id, verdict, "web", self._now())
