"""The octets of a frame.

    magic 4 | kind 1 | slots 2 | body length 8 | CRC-32 of the body 4 | slots | body

A message's frame has one slot per owner that may open it:

    kind 1 | id 16 | owner 16 | writer key 16 | wrap 60

and a body of: message id 16, tenant 16, arrival (microseconds) 8, size 8, then
length-prefixed the receipt and the sealed envelopes (one per slot), and the sealed
content. A key frame has no slots; its body is a day key's row, the writer key sealed
to it and, for a mailbox, its address under that writer key. So an index can be rebuilt
from segments alone: `app.fsck` does. Slots are outside of the checksum: a final delete
erases one in place, and a wrap is authenticated by itself. docs/store-format.md is the
specification.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from archive_store.errors import FrameBroken
from archive_store.seal import WRAP_OCTETS

MAGIC = b"LAF1"
HEADER = struct.Struct(">4sBHQI")
_SLOT = struct.Struct(f">c16s16s16s{WRAP_OCTETS}s")
_MESSAGE = struct.Struct(">16s16sqQ")
_LENGTH = struct.Struct(">I")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KIND_MESSAGE = 1
KIND_KEY = 2
# No bit that flips makes one kind of entry, or of queue item, another: they are two bits apart.
ENTRY_SLOT = b"E"
SENT_SLOT, DRAFT_SLOT = b"S", b"F"  # an entry that was made in the Sent folder, in Drafts
QUEUE_SLOT, OUTGOING_SLOT = b"Q", b"O"  # a queue item: to the domain's primary, or outside
ENTRY_SLOTS = (ENTRY_SLOT, SENT_SLOT, DRAFT_SLOT)
PENDING_SLOT = b"L"  # a mail that its writer may still take back: it is sent from here when due
SENT_COPY_SLOT = b"T"  # what somebody sent, on its way to the own mailbox on the primary
QUEUE_SLOTS = (QUEUE_SLOT, OUTGOING_SLOT, PENDING_SLOT, SENT_COPY_SLOT)
HELD_SLOT = b"H"  # an entry under a legal hold, in the hold's own segments
_KEY_FIELDS = 12
# No frame has less. Of a header that was torn a power cut may leave zeros for length and
# checksum, and those would agree with each other.
_SHORTEST_BODY = _MESSAGE.size
ERASED = bytes(WRAP_OCTETS)


@dataclass(frozen=True, slots=True)
class Slot:
    """Who may open a frame: an entry of a mailbox, or a queue item of the mailbag."""

    kind: bytes
    id: bytes
    owner_id: bytes
    writer_key_id: bytes
    wrap: bytes
    envelope: bytes  # sealed; kept in the body


@dataclass(frozen=True, slots=True)
class MessageFrame:
    """One message as it lies in a segment."""

    message_id: bytes
    tenant_id: bytes
    received_at: datetime
    size: int
    receipt: bytes
    slots: tuple[Slot, ...]
    content: bytes

    def encode(self) -> bytes:
        """The frame's octets."""
        micros = (self.received_at - _EPOCH) // timedelta(microseconds=1)
        parts = [_MESSAGE.pack(self.message_id, self.tenant_id, micros, self.size)]
        for field in (self.receipt, *(slot.envelope for slot in self.slots)):
            parts += [_LENGTH.pack(len(field)), field]
        parts.append(self.content)
        slots = b"".join(
            _SLOT.pack(slot.kind, slot.id, slot.owner_id, slot.writer_key_id, slot.wrap)
            for slot in self.slots
        )
        return _frame(KIND_MESSAGE, len(self.slots), slots, parts)

    @classmethod
    def decode(cls, frame: bytes) -> "MessageFrame":
        """Read a frame; FrameBroken when it is torn or no message."""
        kind, count, body = _open(frame)
        if kind != KIND_MESSAGE:
            raise FrameBroken("a frame is not a message")
        try:
            message_id, tenant_id, micros, size = _MESSAGE.unpack_from(body)
            receipt, at = _field(body, _MESSAGE.size)
            slots = []
            for number in range(count):
                slot_at = HEADER.size + number * _SLOT.size
                slot_kind, slot_id, owner, writer, wrap = _SLOT.unpack_from(frame, slot_at)
                envelope, at = _field(body, at)
                slots.append(Slot(slot_kind, slot_id, owner, writer, wrap, envelope))
        except struct.error as error:
            raise FrameBroken("a frame is too short") from error
        received_at = _EPOCH + timedelta(microseconds=micros)
        return cls(
            message_id, tenant_id, received_at, size, receipt, tuple(slots), bytes(body[at:])
        )


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A day key's row and one writer key sealed to it.

    `name` is the address of the owner's mailbox, sealed under the writer key; empty for
    owners that are no mailbox.
    """

    day_key_id: bytes
    series: str
    tenant_id: bytes
    owner_id: bytes
    day: date
    public: bytes
    signature: bytes
    private: bytes
    summary: bytes
    writer_key_id: bytes
    sealed: bytes
    name: bytes = b""

    def encode(self) -> bytes:
        """The frame's octets."""
        fields = (
            self.day_key_id,
            self.series.encode(),
            self.tenant_id,
            self.owner_id,
            self.day.isoformat().encode(),
            self.public,
            self.signature,
            self.private,
            self.summary,
            self.writer_key_id,
            self.sealed,
            self.name,
        )
        body = b"".join(_LENGTH.pack(len(field)) + field for field in fields)
        return _frame(KIND_KEY, 0, b"", [body])

    @classmethod
    def decode(cls, frame: bytes) -> "KeyFrame":
        """Read a key frame; FrameBroken when it is torn or no key."""
        kind, _, body = _open(frame)
        if kind != KIND_KEY:
            raise FrameBroken("a frame is not a key")
        fields = []
        at = 0
        try:
            for _ in range(_KEY_FIELDS):
                field, at = _field(body, at)
                fields.append(field)
            key_id, series, tenant, owner, day, *rest = fields
            name, on = series.decode(), date.fromisoformat(day.decode())
        except (struct.error, ValueError) as error:
            raise FrameBroken("a key frame cannot be read") from error
        return cls(key_id, name, tenant, owner, on, *rest)


def kind_of(frame: bytes) -> int:
    """KIND_MESSAGE or KIND_KEY."""
    return frame[4]


def wrap_position(slot: int) -> int:
    """Where in a frame the wrap of its n-th slot begins."""
    return HEADER.size + slot * _SLOT.size + _SLOT.size - WRAP_OCTETS


def wrap_positions(frame: bytes) -> list[int]:
    """Where in a frame its wraps begin, slot by slot."""
    return [wrap_position(slot) for slot in range(HEADER.unpack_from(frame)[2])]


def frame_length(header: bytes) -> int | None:
    """The whole length of the frame that begins with `header`; None when it is no frame."""
    if len(header) < HEADER.size:
        return None
    magic, _, count, body_length, _ = HEADER.unpack(header)
    if magic != MAGIC or body_length < _SHORTEST_BODY:
        return None
    return int(HEADER.size + count * _SLOT.size + body_length)


def is_whole(frame: bytes) -> bool:
    """Whether a frame is complete and its body undamaged."""
    try:
        _open(frame)
    except FrameBroken:
        return False
    return True


def _frame(kind: int, count: int, slots: bytes, body: Sequence[bytes]) -> bytes:
    """Joined once: a mail of 50 MB should not be in memory one time more than it has to."""
    checksum = 0
    for part in body:
        checksum = zlib.crc32(part, checksum)
    header = HEADER.pack(MAGIC, kind, count, sum(map(len, body)), checksum)
    return b"".join((header, slots, *body))


def _field(body: memoryview, at: int) -> tuple[bytes, int]:
    """A length-prefixed field, and where it ends."""
    (length,) = _LENGTH.unpack_from(body, at)
    end = at + _LENGTH.size + length
    return bytes(body[at + _LENGTH.size : end]), end


def _open(frame: bytes) -> tuple[int, int, memoryview]:
    if frame_length(frame[: HEADER.size]) != len(frame):
        raise FrameBroken("a frame is torn")
    _, kind, count, _, checksum = HEADER.unpack_from(frame)
    body = memoryview(frame)[HEADER.size + count * _SLOT.size :]
    if zlib.crc32(body) != checksum:
        raise FrameBroken("a frame is damaged")
    return kind, count, body
