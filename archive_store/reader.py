"""The archive's reading side: opens octets with content keys that the keys role opened.

Nothing here has a key of its own. A message whose receipt is not from one of
this installation's writers is still shown, and said to be not genuine.
"""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from archive_store.directory import Owner, PublicKeys
from archive_store.envelope import Envelope
from archive_store.errors import FrameBroken, NotFound
from archive_store.receipts import ReceiptBook, statement
from archive_store.seal import open_content
from archive_store.sealing import content_place, slot_place
from archive_store.segments import FrameRef, SegmentStore
from archive_store.segments.frame import MessageFrame


class StoredMessage(Protocol):
    """A row of `message`: the object, or some of its columns."""

    @property
    def id(self) -> bytes: ...
    @property
    def tenant_id(self) -> bytes: ...
    @property
    def day(self) -> date: ...
    @property
    def size(self) -> int: ...
    @property
    def segment(self) -> str: ...
    @property
    def frame_offset(self) -> int: ...
    @property
    def frame_length(self) -> int: ...


class StoredEntry(Protocol):
    """A row of `entry`: the object, or some of its columns."""

    @property
    def id(self) -> bytes: ...
    @property
    def mailbox_id(self) -> bytes: ...
    @property
    def message_id(self) -> bytes: ...
    @property
    def day(self) -> date: ...
    @property
    def envelope(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A message's octets exactly as received; `genuine`: one of our writers stored it."""

    octets: bytes
    genuine: bool


def frame_ref(message: StoredMessage) -> FrameRef:
    """Where a message's frame lies."""
    return FrameRef(message.day, message.segment, message.frame_offset, message.frame_length)


class ArchiveReader:
    """Reads frames and opens them."""

    def __init__(self, segments: SegmentStore, keys: PublicKeys) -> None:
        self.segments = segments
        self.keys = keys
        self.installation = keys.installation
        self._receipts = ReceiptBook(keys.receipts)

    def over(self, segments: SegmentStore) -> "ArchiveReader":
        """The same reader over other segments."""
        return ArchiveReader(segments, self.keys)

    def open(self, message: StoredMessage, content_key: bytes) -> Opened:
        """A message's octets. SealBroken, FrameBroken or NotFound when it can't be had."""
        frame = MessageFrame.decode(self.segments.read(frame_ref(message)))
        if frame.message_id != message.id:
            raise NotFound("another message lies there")
        if frame.size != message.size:
            raise FrameBroken("a frame is of another size than its index row says")
        return self.open_frame(message.tenant_id, frame, content_key)

    def open_frame(self, tenant_id: bytes, frame: MessageFrame, content_key: bytes) -> Opened:
        """The octets of a frame in hand; SealBroken when they do not open for this tenant."""
        place = content_place(self.installation, tenant_id, frame.message_id)
        octets = open_content(content_key, frame.content, place, frame.size)
        said = statement(place, frame.content, frame.size, frame.received_at)
        genuine = self._receipts.genuine(frame.receipt, said)
        return Opened(octets, genuine is not None)

    def envelope(self, tenant_id: bytes, entry: StoredEntry, content_key: bytes) -> Envelope:
        """The envelope of one entry."""
        owner = Owner.mailbox(tenant_id, entry.mailbox_id)
        ids = (entry.message_id, entry.id)
        place = slot_place(owner, self.installation, "envelope", entry.day, *ids)
        return Envelope.open(content_key, entry.envelope, place)
