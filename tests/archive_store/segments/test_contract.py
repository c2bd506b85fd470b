"""What every SegmentStore promises, whatever it stands on."""

import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest

from archive_store.errors import FrameBroken, NotFound, WriteFailed
from archive_store.ids import new_id
from archive_store.segments import FrameRef, KeySlot, SegmentStore
from archive_store.segments.frame import (
    ENTRY_SLOT,
    ERASED,
    HEADER,
    MAGIC,
    MessageFrame,
    Slot,
    wrap_position,
)
from archive_store.segments.local import LocalSegments

DAY = date(2026, 11, 24)
OTHER = date(2026, 11, 25)
_KEYS = b"abc" * 20
KEY_FRAME = HEADER.pack(MAGIC, 2, 0, len(_KEYS), zlib.crc32(_KEYS)) + _KEYS
Open = Callable[[], SegmentStore]


def message(*wraps: bytes, content: bytes = b"sealed") -> bytes:
    slots = [Slot(ENTRY_SLOT, new_id(), new_id(), new_id(), wrap, b"envelope") for wrap in wraps]
    when = datetime(2026, 11, 24, 12, tzinfo=UTC)
    return MessageFrame(new_id(), new_id(), when, 6, b"receipt", tuple(slots), content).encode()


def wrap(letter: str) -> bytes:
    return letter.encode() * 60


def slot(ref: FrameRef, number: int) -> KeySlot:
    return KeySlot(ref, wrap_position(number))


def wraps_of(store: SegmentStore, ref: FrameRef) -> list[bytes]:
    """What a rebuild of the index would find."""
    [frame] = [frame for where, frame in store.scan(ref.day) if where == ref]
    assert store.read_with_wraps(ref) == frame
    return [slot.wrap for slot in MessageFrame.decode(frame).slots]


def test_what_was_appended_is_read_and_scanned(open_store: Open) -> None:
    frames = [KEY_FRAME, message(wrap("a"), wrap("b")), message(wrap("c"), content=b"x" * 300_000)]
    refs = open_store().append(DAY, frames)
    store = open_store()
    assert [frame for _, frame in store.scan(DAY)] == frames
    assert [ref for ref, _ in store.scan(DAY)] == refs
    assert store.read(refs[0]) == KEY_FRAME
    for ref, frame in zip(refs[1:], frames[1:], strict=True):
        read, wrote = MessageFrame.decode(store.read(ref)), MessageFrame.decode(frame)
        assert (read.message_id, read.content) == (wrote.message_id, wrote.content)


def test_batches_and_writers_do_not_mix(open_store: Open) -> None:
    one, other = open_store(), open_store()
    refs = [one.append(DAY, [KEY_FRAME]), other.append(DAY, [message(wrap("a"))])]
    refs.append(one.append(DAY, [message(wrap("b")), KEY_FRAME]))
    assert len(list(one.scan(DAY))) == 4
    assert {ref.segment for some in refs for ref in some} == set(one.names(DAY))


def test_an_erased_key_is_gone_and_the_others_stay(open_store: Open) -> None:
    store = open_store()
    first, second = store.append(DAY, [message(wrap("a"), wrap("b")), message(wrap("c"))])
    open_store().erase([slot(first, 1)])
    assert wraps_of(store, first) == [wrap("a"), ERASED]
    assert wraps_of(store, second) == [wrap("c")]
    store.erase([slot(first, 0), slot(second, 0)])
    store.erase([slot(first, 0)])  # twice is no error
    assert wraps_of(store, first) == [ERASED, ERASED]
    assert wraps_of(store, second) == [ERASED]


def test_erasing_in_several_segments_at_once(open_store: Open) -> None:
    store = open_store()
    refs = [open_store().append(DAY, [message(wrap("a"))])[0] for _ in range(3)]
    store.erase([slot(ref, 0) for ref in refs])
    assert [wraps_of(store, ref) for ref in refs] == [[ERASED]] * 3


def test_erasers_at_the_same_time_lose_nothing_of_each_other(open_store: Open) -> None:
    store = open_store()
    [ref] = store.append(DAY, [message(*(wrap(letter) for letter in "abcdefghijkl"))])

    def erase(number: int) -> None:
        open_store().erase([slot(ref, number)])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(erase, range(1, 12)))
    assert wraps_of(store, ref) == [wrap("a")] + [ERASED] * 11


def test_a_dropped_day_is_gone_whole_and_no_other(open_store: Open) -> None:
    store = open_store()
    [ref] = store.append(DAY, [message(wrap("a"))])
    [kept] = store.append(OTHER, [message(wrap("b"))])
    assert store.days() == [DAY, OTHER]
    store.drop(DAY)
    store.drop(DAY)
    assert store.days() == [OTHER]
    assert list(store.scan(DAY)) == []
    assert store.names(DAY) == []
    with pytest.raises(NotFound):
        store.read(ref)
    assert wraps_of(store, kept) == [wrap("b")]


def test_erasing_in_a_day_that_left_brings_nothing_back(open_store: Open) -> None:
    store = open_store()
    [ref] = store.append(DAY, [message(wrap("a"))])
    store.drop(DAY)
    store.erase([slot(ref, 0)])
    assert store.days() == []


def test_writing_goes_on_after_a_day_was_dropped(open_store: Open) -> None:
    store = open_store()
    store.append(DAY, [KEY_FRAME])
    store.drop(DAY)
    [ref] = store.append(DAY, [KEY_FRAME])
    assert store.read(ref) == KEY_FRAME


def test_what_lies_nowhere_is_told(open_store: Open) -> None:
    store = open_store()
    [ref] = store.append(DAY, [KEY_FRAME])
    with pytest.raises(NotFound):
        store.read(FrameRef(DAY, "0" * 24 + ".seg", 0, 5))
    with pytest.raises(FrameBroken):
        store.read(FrameRef(DAY, ref.segment, 4, ref.length))
    with pytest.raises(FrameBroken):
        store.read(FrameRef(DAY, ref.segment, 10_000, 5))
    with pytest.raises(NotFound):
        list(store.take_out(DAY, "0" * 24 + ".seg"))


def test_a_segment_taken_out_can_be_put_back_in_any_store(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    frames = [KEY_FRAME, message(wrap("a"), wrap("b"))]
    _, ref = store.append(DAY, frames)
    store.erase([slot(ref, 0)])
    name = ref.segment
    octets = b"".join(store.take_out(DAY, name))
    for other in (LocalSegments(tmp_path / "restored", 1), store):
        if other is store:
            store.drop(DAY)
        other.put_back(DAY, name, BytesIO(octets))
        assert wraps_of(other, ref) == [ERASED, wrap("b")]
        assert b"".join(other.take_out(DAY, name)) == octets
        with pytest.raises(WriteFailed):
            other.put_back(DAY, name, BytesIO(octets))
