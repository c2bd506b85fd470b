"""Sends what is due of the outbox: the deliver role's part of sending.

What is stored for everybody, the end of the item and of the entry in the outbox, and the audit
event are one transaction. So a mail is sent once, whenever anything is killed: before the commit
it is still in the outbox, and after it the item is over. Who else had claimed the item, or had
taken the mail back meanwhile, makes the transaction fail (`Overtaken`), and that is all.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import cast

from sqlalchemy import ColumnElement, CursorResult, select, update
from sqlalchemy.orm import Session

from app import audit
from app.audit.events import MessageNotSent, MessageSent
from app.delivery import queue
from app.delivery.outcome import GONE, Failed
from app.delivery.queue import Claim
from app.models import Domain, Identity, QueueItem, User
from app.phrase import phrase
from app.sending.dispatch import as_unit
from app.sending.draft_mail import Written, decode
from app.sending.invitation import answer_in
from app.sending.outbound import Posted, post
from app.sending.outbox import DRAFTS, item_slots
from app.viewer import Actor, Via
from app.views import BadDraft, Outgoing
from archive_store import deletion, ids
from archive_store.archive import Archive, Stored
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import NotFound, StoreBusy, StoreError
from archive_store.models import OUTBOX, Entry
from archive_store.segments import SegmentStore

log = logging.getLogger(__name__)
PATIENCE = timedelta(seconds=60)
NOT_YOURS = phrase("It cannot be sent as this address any more.")


class Overtaken(StoreError):
    """The mail was taken back, or somebody else has sent it."""


@dataclass(frozen=True, slots=True)
class _Due:
    """One mail whose time has come, and whose it is."""

    item: QueueItem
    entry: Entry
    user: User
    written: Written

    @property
    def actor(self) -> Actor:
        """The person had pressed Send; the service does the rest by itself."""
        return Actor(user_id=self.user.id, address=self.user.address, via=Via.SYSTEM)


class Posting:
    """Sends claims of kind "pending". Safe to share between threads."""

    def __init__(
        self,
        db: Database,
        archive: Archive,
        segments: SegmentStore,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._db = db
        self._archive = archive
        self._segments = segments
        self._now = now

    def post(self, claim: Claim, octets: bytes) -> Failed | None:
        """Send it. Failed: it cannot be sent as it is, and is a draft again, or is gone.

        Raises StoreError when the store cannot serve now.
        """
        [item] = claim.items
        with self._db.read() as tx:
            due = _due(tx, item, octets)
            if due is None:
                # In other hands it was sent, or is a draft: to report it as failed would be wrong.
                return GONE if tx.scalar(select(QueueItem.id).where(*_ours(item))) else None
            try:
                posted = _posted(tx, due, claim.domain, self._now())
            except BadDraft as error:
                refused = error.message
            else:
                refused = ""
        if refused:
            return self._put_back(due, refused)
        unit = as_unit(posted.sent(claim.domain.id, due.entry.mailbox_id))
        stored = self._archive.submit(unit, partial(self._end, due, posted))
        try:
            stored.result(PATIENCE.total_seconds())
        except Overtaken:
            log.info("what was to be sent is in other hands: %s", ids.show(due.entry.id))
        except TimeoutError:
            raise StoreBusy("the archive is slow to answer") from None
        return None

    def _end(self, due: _Due, posted: Posted, tx: Session, stored: Sequence[Stored]) -> None:
        """In the transaction that stores what was sent."""
        entry = _ended(tx, due.item, queue.DELIVERED, self._now())
        if entry is None:
            raise Overtaken("taken back")
        form = due.written.form
        mark_source(tx, entry.mailbox_id, form)
        self._segments.erase([*deletion.key_slots(tx, [entry]), *item_slots(tx, due.item)])
        deletion.delete_entries(tx, [entry])
        event = MessageSent(
            mailbox_id=entry.mailbox_id,
            entry_id=stored[0].entry_ids[0],
            identity=posted.letter.sender.wire,
            recipients=len(posted.recipients),
        )
        audit.record(tx, event, trail=due.user.domain_id, actor=due.actor, at=self._now())

    def _put_back(self, due: _Due, why: str) -> Failed | None:
        with self._db.write() as tx:
            entry = _ended(tx, due.item, queue.FAILED, self._now())
            if entry is None:
                return None
            entry.folder = DRAFTS
            self._segments.erase(item_slots(tx, due.item))
            event = MessageNotSent(mailbox_id=entry.mailbox_id, entry_id=entry.id)
            audit.record(tx, event, trail=due.user.domain_id, actor=due.actor, at=self._now())
        return Failed(0, f"5.6.0 Not sent, and a draft again: {why}")


def mark_source(tx: Session, mailbox_id: bytes, form: Outgoing) -> None:
    """Mark what was answered or forwarded, if it is still there."""
    if form.source_entry is None:
        return
    values: dict[str, object] = {"forwarded" if form.source_kind == "forward" else "answered": True}
    answer = answer_in(form)
    if answer:
        values["participation"] = answer
    mine = (Entry.id == ids.read(form.source_entry), Entry.mailbox_id == mailbox_id)
    tx.execute(update(Entry).where(*mine).values(**values))


def _due(tx: Session, item: QueueItem, octets: bytes) -> _Due | None:
    """None when there is nothing to send any more."""
    entry = tx.scalars(
        select(Entry).where(Entry.id == item.entry_id, Entry.folder == OUTBOX)
    ).first()
    if entry is None:
        return None
    user = tx.scalars(select(User).where(User.mailbox_id == entry.mailbox_id)).first()
    try:
        written = decode(octets)
    except NotFound:
        return None
    return _Due(item, entry, user, written) if user is not None else None


def _posted(tx: Session, due: _Due, domain: Domain, now: datetime) -> Posted:
    """BadDraft: the person may not send it any more, or it cannot go where it should."""
    form, thread = due.written.form, due.written.thread
    mine = (Identity.id == ids.read(form.identity_id), Identity.user_id == due.user.id)
    identity = tx.scalars(select(Identity).where(*mine)).first()
    may = due.user.live and not due.user.disabled and domain.enabled
    if identity is None or thread is None or not may:
        raise BadDraft("from", NOT_YOURS)
    return post(tx, form, identity, thread, now)


def _ended(tx: Session, item: QueueItem, state: str, now: datetime) -> Entry | None:
    """End an item that is still in our hands; its entry, or None when it is in other hands."""
    ending = update(QueueItem).where(*_ours(item)).values(**queue.ended_as(state, now))
    if cast(CursorResult[object], tx.execute(ending)).rowcount != 1:
        return None
    still = (Entry.id == item.entry_id, Entry.folder == OUTBOX)
    return tx.scalars(select(Entry).where(*still).with_for_update()).first()


def _ours(item: QueueItem) -> tuple[ColumnElement[bool], ...]:
    """An item that is still in the hands of whoever claimed it."""
    still = QueueItem.state == queue.LEASED, QueueItem.lease_owner == item.lease_owner
    return QueueItem.id == item.id, *still
