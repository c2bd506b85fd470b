"""Where the person's own mail server stands with a message, for lists and for one message.

An incoming entry has one item towards the primary; an entry in Sent has one for each
recipient, and perhaps one for its copy in the person's own mailbox. The texts of replies stay
sealed here: `sealed.open_reply` opens them with the content key that the reader of the message
has anyway.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.delivery import queue
from app.models import QueueItem
from app.views import CopyState, DeliveryName

_TOLD = (queue.PRIMARY, queue.OUTGOING, queue.SENT)
_AT_ONCE = 500  # SQLite takes 32,766 parameters; plans for long lists are no better


@dataclass(frozen=True, slots=True)
class EntryDelivery:
    """What became of an entry's items. `at`: when it was delivered, or failed."""

    state: DeliveryName
    at: datetime | None = None
    items: tuple[QueueItem, ...] = ()
    copy: CopyState = "none"  # of what was sent, in the person's own mailbox there

    @property
    def only_here(self) -> bool:
        """The primary has not got it, and perhaps never will."""
        undelivered = [item for item in self.items if item.state != queue.DELIVERED]
        return any(item.kind == queue.PRIMARY for item in undelivered)


NONE = EntryDelivery("none")


def delivery_state(tx: Session, entry_ids: Collection[bytes]) -> dict[bytes, EntryDelivery]:
    """The state of each entry; "none" for what was never to be handed on."""
    ids = list(entry_ids)
    items: dict[bytes, list[QueueItem]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        theirs = select(QueueItem).where(QueueItem.entry_id.in_(some))
        for item in tx.scalars(theirs.where(QueueItem.kind.in_(_TOLD))):
            items.setdefault(item.entry_id or b"", []).append(item)
    return {entry_id: _with_copy(items.get(entry_id, ())) for entry_id in ids}


def _with_copy(items: Sequence[QueueItem]) -> EntryDelivery:
    """A copy says nothing of whether the mail itself arrived."""
    copies = {item.state for item in items if item.kind == queue.SENT}
    found = _sum_up([item for item in items if item.kind != queue.SENT])
    if queue.DELIVERED in copies:
        return replace(found, copy="there")
    return replace(found, copy="waiting") if copies & set(queue.WAITING) else found


def _sum_up(items: Sequence[QueueItem]) -> EntryDelivery:
    """The worst of its items is what the reader must know."""
    if not items:
        return NONE
    states = {item.state for item in items}
    ended = max((item.done_at for item in items if item.done_at), default=None)
    if queue.FAILED in states:
        return EntryDelivery("failed", ended, tuple(items))
    if states <= {queue.DELIVERED}:
        return EntryDelivery("delivered", ended, tuple(items))
    if any(item.kind == queue.PRIMARY for item in items):
        return EntryDelivery("only_here", None, tuple(items))
    if states & set(queue.WAITING):
        return EntryDelivery("waiting", None, tuple(items))
    return EntryDelivery("none", ended, tuple(items))  # all others were dropped
