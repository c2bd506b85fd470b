"""Where an opened message stands on its way to a mail server, in words for its reader.

The servers' replies are sealed under the message's content key, so only its readers see
them. A message in Sent has an item for each recipient: there the recipient is named.
"""

from app.delivery import queue
from app.delivery.sealed import open_envelope, open_reply
from app.delivery.state import EntryDelivery
from app.models import QueueItem
from app.phrase import phrase
from app.views import DeliveryName, DeliveryState
from archive_store.errors import SealBroken
from archive_store.sealing import queue_key

SENT = "sent"
DROPPED = phrase("An administrator took it out of the queue.")


def only_here(delivery: EntryDelivery, folder: str) -> bool:
    """Whether a list says so. What a person sent is on its way, which is something else."""
    return delivery.only_here and folder != SENT


def delivery_words(
    delivery: EntryDelivery, folder: str, installation: bytes, content_key: bytes | None
) -> DeliveryState:
    """The state, with the last thing that a server said of it where that matters."""
    state: DeliveryName = delivery.state
    if folder == SENT and state == "only_here":
        state = "waiting"
    item = _telling(delivery)
    detail = ""
    if item is not None and item.state == queue.DROPPED:
        detail = DROPPED
    elif item is not None and content_key is not None:
        detail = _said(installation, item, queue_key(content_key), named=folder == SENT)
    return DeliveryState(state=state, at=delivery.at, detail=detail, copy=delivery.copy)


def _telling(delivery: EntryDelivery) -> QueueItem | None:
    """The item whose reply explains the state: a lost one, or else one that waits."""
    for states in ((queue.FAILED,), queue.WAITING, (queue.DROPPED,)):
        for item in delivery.items:
            if item.state in states:
                return item
    return None


def _said(installation: bytes, item: QueueItem, key: bytes, *, named: bool) -> str:
    try:
        reply = open_reply(installation, item, key)
        if not reply or not named:
            return reply
        return f"{open_envelope(installation, item, key).rcpt_to}: {reply}"
    except SealBroken:
        return ""  # the state is true all the same
