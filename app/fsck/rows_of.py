"""The rows that a frame stands for: what the writer inserted with it, made again.

What a frame does not know is as for new mail: unread, without marks, in the folder that it
was stored in. A queue item is held: whether its server has the mail by now is not known.
"""

from datetime import date, datetime
from typing import Any

from app.delivery import queue
from app.models import QueueItem
from archive_store.models import DayKey, Entry, Message, WriterKey
from archive_store.segments import FrameRef
from archive_store.segments.frame import (
    DRAFT_SLOT,
    OUTGOING_SLOT,
    SENT_COPY_SLOT,
    SENT_SLOT,
    KeyFrame,
    MessageFrame,
    Slot,
)

_KINDS = {OUTGOING_SLOT: queue.OUTGOING, SENT_COPY_SLOT: queue.SENT}


def message_values(ref: FrameRef, frame: MessageFrame) -> dict[str, Any]:
    """What the row of a message says."""
    return {
        "tenant_id": frame.tenant_id,
        "day": ref.day,
        "received_at": frame.received_at,
        "size": frame.size,
        "segment": ref.segment,
        "frame_offset": ref.offset,
        "frame_length": ref.length,
    }


def message(ref: FrameRef, frame: MessageFrame) -> Message:
    """A new row of a message."""
    return Message(id=frame.message_id, **message_values(ref, frame))


def entry(frame: MessageFrame, number: int, day: date) -> Entry:
    """A new row of an entry; `day`: of its writer key's day key."""
    slot = frame.slots[number]
    folder = {SENT_SLOT: "sent", DRAFT_SLOT: "drafts"}.get(slot.kind, "inbox")
    return Entry(
        id=slot.id,
        message_id=frame.message_id,
        folder=folder,
        seen=folder != "inbox",
        day=day,
        slot=number,
        indexed=False,
        **entry_values(frame, slot),
    )


def entry_values(frame: MessageFrame, slot: Slot) -> dict[str, Any]:
    """What the row of an entry says that its frame knows."""
    return {
        "mailbox_id": slot.owner_id,
        "received_at": frame.received_at,
        "size": frame.size,
        "writer_key_id": slot.writer_key_id,
        "wrap": slot.wrap,
        "envelope": slot.envelope,
    }


def queue_item(
    frame: MessageFrame, number: int, day: date, entry_id: bytes | None, now: datetime
) -> QueueItem:
    """A new row of a queue item, held."""
    slot = frame.slots[number]
    return QueueItem(
        id=slot.id,
        message_id=frame.message_id,
        domain_id=slot.owner_id,
        entry_id=entry_id,
        kind=_KINDS.get(slot.kind, queue.PRIMARY),
        state=queue.HELD,
        attempts=0,
        queued_at=frame.received_at,
        next_attempt_at=now,
        lease_owner="",
        day=day,
        slot=number,
        writer_key_id=slot.writer_key_id,
        wrap=slot.wrap,
        envelope=slot.envelope,
    )


def day_key_values(frame: KeyFrame) -> dict[str, Any]:
    """What the row of a day key says."""
    return {
        "series": frame.series,
        "tenant_id": frame.tenant_id,
        "owner_id": frame.owner_id,
        "day": frame.day,
        "public": frame.public,
        "signature": frame.signature,
        "private": frame.private,
        "summary": frame.summary,
    }


def day_key(frame: KeyFrame) -> DayKey:
    """A new row of a day key."""
    return DayKey(id=frame.day_key_id, **day_key_values(frame))


def writer_key_values(frame: KeyFrame) -> dict[str, Any]:
    """What the row of a writer key says that its frame knows."""
    return {"day_key_id": frame.day_key_id, "sealed": frame.sealed}


def writer_key(frame: KeyFrame, now: datetime) -> WriterKey:
    """A new row of a writer key."""
    return WriterKey(id=frame.writer_key_id, created_at=now, **writer_key_values(frame))


def differs(row: object, values: dict[str, Any]) -> bool:
    """Whether a row says anything else."""
    return any(getattr(row, name) != value for name, value in values.items())
