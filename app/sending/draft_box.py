"""`DraftBox`: what somebody has begun to write, kept as an entry of the own mailbox like any mail.

So it is sealed with the key of its day, is there on every device, and leaves after as many days
as any mail. Each save is an entry of its own; the one it was written over is deleted for good
when the new one is durable. When that one is gone already, another device has saved meanwhile:
then both stay, and the page is told. Chosen files are not part of a draft.

The octets begin with a field of ours that holds the form as it was typed; what else is in the
header is for the list. Only what this service sealed itself is read back.
"""

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime

from sqlalchemy import select

from app.accounts import identities
from app.keys.protocol import Purpose
from app.models import Identity
from app.reading.finding import Window, read_id
from app.reading.opening import Opener
from app.sending import headers
from app.sending.addressees import Addressee, BadList, read_list
from app.viewer import Viewer
from app.views import Outgoing, SavedDraft
from archive_store import deletion, ids
from archive_store.address import EmailAddress
from archive_store.archive import Archive
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.envelope import Envelope
from archive_store.errors import NotFound, StoreBusy
from archive_store.models import Entry
from archive_store.sealing import Copy, Incoming
from archive_store.segments import SegmentStore

FOLDER = "drafts"
_FIELD = b"X-LiveArchive-Draft:"
_BLANK = re.compile(rb"\s+")


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
        """Keep what was written, in the place of the draft `over`; StoreError: nothing changed."""
        if viewer.mailbox_id is None or viewer.user.domain_id is None:
            raise NotFound("no mailbox")
        if over is not None:
            read_id(over)
        identity = self._identity(viewer, written.identity_id)
        now = self._parts.now()
        sender = Addressee(identity.display_name, EmailAddress.parse(identity.address))
        envelope = Envelope(sender.wire, sender.wire, protocol="web")
        copy = Copy(viewer.mailbox_id, envelope, folder=FOLDER, seen=True)
        mail = Incoming(viewer.user.domain_id, encode(written, sender, now), now, (copy,))
        try:
            [stored] = self._parts.archive.submit([mail]).result(
                self._parts.patience.total_seconds()
            )
        except TimeoutError:
            raise StoreBusy("the archive is slow to answer") from None
        replaced = over is None or self.drop(viewer, over)
        return SavedDraft(id=ids.show(stored.entry_ids[0]), at=now, alone=replaced)

    def open(self, viewer: Viewer, entry_id: str) -> Outgoing:
        """What was written; NotFound for what is no draft of the viewer's."""
        entry, _ = self._parts.opener.locate(viewer, entry_id)
        if entry.folder != FOLDER:
            raise NotFound("no such draft")
        opened = self._parts.opener.open(viewer, entry_id, Purpose.RENDER)
        if not opened.genuine:
            raise NotFound("no draft of ours")
        return decode(opened.octets)

    def drop(self, viewer: Viewer, entry_id: str) -> bool:
        """Delete a draft for good: it was sent, or saved anew. False when it is gone already."""
        window = Window.of(viewer, self._parts.now(), self._parts.keep)
        mine = (*window.conditions, Entry.folder == FOLDER, Entry.id == read_id(entry_id))
        with self._parts.db.write() as tx:
            # Under the lock, so that of two devices only one replaces the same draft; the key goes
            # before the row, see `deletion`.
            entry = tx.scalars(select(Entry).where(*mine).with_for_update()).first()
            if entry is None:
                return False
            self._parts.segments.erase(deletion.key_slots(tx, [entry]))
            deletion.delete_entries(tx, [entry])
        self._parts.forget([entry.seq])
        return True

    def _identity(self, viewer: Viewer, shown: str) -> Identity:
        """The chosen one, or the own address: a draft is kept whatever is wrong with it."""
        with self._parts.db.read() as tx:
            mine = identities.list_of(tx, viewer.user.id)
        if not mine:
            raise NotFound("nobody to write as")
        return next((one for one in mine if ids.show(one.id) == shown), mine[0])


def encode(written: Outgoing, sender: Addressee, now: datetime) -> bytes:
    """A draft as a message (RFC 5322)."""
    form = {
        "identity": written.identity_id,
        "to": written.to,
        "cc": written.cc,
        "bcc": written.bcc,
        "subject": written.subject,
        "source": written.source_entry,
        "kind": written.source_kind,
        "keep": written.keep_attachments,
    }
    fields = [
        _FIELD + b"\r\n " + _base64(json.dumps(form).encode()).replace(b"\r\n", b"\r\n ").rstrip(),
        headers.plain_field("Date", format_datetime(now)).rstrip(),
        headers.address_field("From", [sender]).rstrip(),
    ]
    for name, text in (("To", written.to), ("Cc", written.cc)):
        people = _readable(text)
        if people:
            fields.append(headers.address_field(name, people).rstrip())
    fields += [
        headers.text_field("Subject", written.subject).rstrip(b"\r\n"),
        b"MIME-Version: 1.0",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Transfer-Encoding: base64",
    ]
    body = _base64(written.text.encode("utf-8", "replace"))
    return b"\r\n".join(fields) + b"\r\n\r\n" + body


def decode(octets: bytes) -> Outgoing:
    """Undo `encode`; NotFound for what is no draft."""
    head, _, body = octets.partition(b"\r\n\r\n")
    if not head.startswith(_FIELD):
        raise NotFound("no draft of ours")
    form = head.removeprefix(_FIELD).partition(b"\r\nDate:")[0]
    facts = json.loads(base64.b64decode(_BLANK.sub(b"", form)))
    return Outgoing(
        identity_id=facts["identity"],
        to=facts["to"],
        cc=facts["cc"],
        bcc=facts["bcc"],
        subject=facts["subject"],
        text=base64.b64decode(body).decode(),
        source_entry=facts["source"],
        source_kind=facts["kind"],
        keep_attachments=tuple(facts["keep"]),
    )


def _base64(octets: bytes) -> bytes:
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")


def _readable(text: str) -> tuple[Addressee, ...]:
    """Half an address is none yet."""
    try:
        return read_list(text)
    except BadList:
        return ()
