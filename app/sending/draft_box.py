"""`DraftBox`: what somebody has begun to write, kept as an entry of the own mailbox like any mail.

So it is sealed with the key of its day, is there on every device, and leaves after as many days
as any mail. Each save is an entry of its own; the one it was written over is deleted for good
when the new one is durable. When that one is gone already, another device has saved meanwhile:
then both stay, and the page is told. Chosen files are part of the draft: they come with one save
and are taken over from draft to draft.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import identities
from app.keys.protocol import Purpose
from app.models import Identity
from app.phrase import phrase
from app.reading.finding import Window, read_id
from app.reading.opening import Opener
from app.sending.compose import LARGEST_LETTER
from app.sending.draft_mail import Written, decode, encode
from app.sending.outbound import TOO_LARGE, sender_of
from app.viewer import Viewer
from app.views import BadDraft, Outgoing, SavedDraft
from archive_store import deletion, ids
from archive_store.archive import Archive
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.envelope import Envelope
from archive_store.errors import NotFound, StoreBusy, StoreError
from archive_store.models import Entry
from archive_store.sealing import Copy, Incoming
from archive_store.segments import SegmentStore

log = logging.getLogger(__name__)
FOLDER = "drafts"
FILES_GONE = phrase(
    "The files of this draft are gone: it was saved or sent on another device. Choose them again."
)
Octets = tuple[str, str, bytes]  # a file: name, type, octets


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftParts:
    """What the box is made of. `forget` drops what is in memory of entries, by their numbers."""

    db: Database
    archive: Archive
    opener: Opener
    segments: SegmentStore
    keep: timedelta
    forget: Callable[[Sequence[int]], None]
    now: Callable[[], datetime] = field(default=utc_now)
    patience: timedelta = timedelta(seconds=60)


class DraftBox:
    """The use cases of drafts. Safe to share between threads."""

    def __init__(self, parts: DraftParts) -> None:
        self._parts = parts

    def save(self, viewer: Viewer, written: Outgoing, over: str | None) -> SavedDraft:
        """Keep what was written, in the place of the draft `over`; StoreError: nothing changed.

        When that one is gone its files are gone, too: the words stay.
        """
        if viewer.mailbox_id is None or viewer.user.domain_id is None:
            raise NotFound("no mailbox")
        if over is not None:
            read_id(over)
        identity = self._identity(viewer, written.identity_id)
        kept = self._kept(viewer, written, over)
        whole = replace(written, attachments=_within_limit((*kept, *written.attachments)))
        now, sender = self._parts.now(), sender_of(identity)
        envelope = Envelope(sender.wire, sender.wire, protocol="web")
        copy = Copy(viewer.mailbox_id, envelope, folder=FOLDER, seen=True)
        octets = encode(Written(whole), sender, now)
        mail = Incoming(viewer.user.domain_id, octets, now, (copy,))
        try:
            [stored] = self._parts.archive.submit([mail]).result(
                self._parts.patience.total_seconds()
            )
        except TimeoutError:
            raise StoreBusy("the archive is slow to answer") from None
        replaced = over is None or self.drop(viewer, over)
        return SavedDraft(
            id=ids.show(stored.entry_ids[0]),
            at=now,
            alone=replaced,
            files=whole.files,
        )

    def files(self, viewer: Viewer, written: Outgoing) -> tuple[Octets, ...]:
        """What goes with a letter: the files that stay of its draft, then the new ones."""
        kept = self._kept(viewer, written, written.draft)
        if len(kept) != len(set(written.draft_files)):
            raise BadDraft("attachments", FILES_GONE)
        return (*kept, *written.attachments)

    def _kept(self, viewer: Viewer, written: Outgoing, draft: str | None) -> tuple[Octets, ...]:
        if draft is None or not written.draft_files:
            return ()
        try:
            there = self.open(viewer, draft).attachments
        except NotFound:  # saved anew, sent or put away on another device
            return ()
        wanted = sorted(set(written.draft_files))
        return tuple(there[one] for one in wanted if one < len(there))

    def open(self, viewer: Viewer, entry_id: str) -> Outgoing:
        """What was written; NotFound for what is no draft of the viewer's."""
        entry, _ = self._parts.opener.locate(viewer, entry_id)
        if entry.folder != FOLDER:
            raise NotFound("no such draft")
        opened = self._parts.opener.open(viewer, entry_id, Purpose.RENDER)
        if not opened.genuine:
            raise NotFound("no draft of ours")
        return decode(opened.octets).form

    def drop(self, viewer: Viewer, entry_id: str) -> bool:
        """Delete a draft for good: it was saved anew. False when it is gone already."""
        with self._parts.db.write() as tx:
            dropped = self.drop_in(tx, viewer, entry_id)
        if dropped:
            self.finish(viewer)
        return dropped

    def drop_in(self, tx: Session, viewer: Viewer, entry_id: str) -> bool:
        """Delete it within a transaction, after which `finish` is due; False when it is gone."""
        window = Window.of(viewer, self._parts.now(), self._parts.keep)
        mine = (*window.conditions, Entry.folder == FOLDER, Entry.id == read_id(entry_id))
        # Under the lock, so that of two devices only one replaces the same draft. Its key stays
        # until the transaction is over: when that fails, the draft is as it was.
        entry = tx.scalars(select(Entry).where(*mine).with_for_update()).first()
        if entry is None:
            return False
        deletion.put_aside([entry])
        return True

    def finish(self, viewer: Viewer) -> None:
        """The transaction is over: what was dropped in it goes, key first."""
        try:
            gone = deletion.finish(self._parts.db, self._parts.segments, viewer.mailbox_id)
        except StoreError as error:
            # Nobody sees it any more; the next one ends it, or the sweep.
            log.warning("the key of a draft could not be erased yet: %s", error)
        else:
            self._parts.forget(gone)

    def _identity(self, viewer: Viewer, shown: str) -> Identity:
        """The chosen one, or the own address: a draft is kept whatever is wrong with it."""
        with self._parts.db.read() as tx:
            mine = identities.list_of(tx, viewer.user.id)
        if not mine:
            raise NotFound("nobody to write as")
        return next((one for one in mine if ids.show(one.id) == shown), mine[0])


def _within_limit(files: tuple[Octets, ...]) -> tuple[Octets, ...]:
    if sum(len(file[2]) for file in files) > LARGEST_LETTER:
        raise BadDraft("attachments", TOO_LARGE)
    return files
