"""The sealed parts of a queue item: its envelope, and the last reply of the other server.

Both are sealed under the item's queue key, which is derived from the message's content key
(`archive_store.sealing.queue_key`). So the message's reader can read them by the own entry,
and an administrator by the queue item, who gets the queue key and never the content key.
SealBroken when they do not open.
"""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.delivery.outcome import Answer
from app.models import QueueItem
from archive_store import seal
from archive_store.directory import Owner
from archive_store.envelope import Envelope
from archive_store.sealing import slot_place

_STEP = 128


def open_envelope(installation: bytes, item: QueueItem, key: bytes) -> Envelope:
    """Who sent it, and to which one address it goes."""
    place = _place(installation, item, "envelope")
    return Envelope.open(key, item.envelope, place)


def seal_reply(installation: bytes, item: QueueItem, key: bytes, answer: Answer) -> bytes:
    """What `open_reply` undoes."""
    plain = seal.pad(answer.line.encode(errors="replace"), _STEP)
    place = _place(installation, item, "last-reply")
    return seal.seal_box(AESGCM(seal.derive(key, "last-reply")), plain, place)


def open_reply(installation: bytes, item: QueueItem, key: bytes) -> str:
    """The last reply as one line; "" before the first."""
    if item.last_reply is None:
        return ""
    place = _place(installation, item, "last-reply")
    reply_key = seal.derive(key, "last-reply")
    return seal.unpad(seal.open_box(reply_key, item.last_reply, place)).decode(errors="replace")


def _place(installation: bytes, item: QueueItem, kind: str) -> bytes:
    owner = Owner.mailbag(item.domain_id)
    return slot_place(owner, installation, kind, item.day, item.message_id, item.id)
