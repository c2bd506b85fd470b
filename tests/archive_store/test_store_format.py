"""The worked example of docs/store-format.md: its very octets, read and made again."""

import re
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest

from archive_store.segments.frame import (
    ENTRY_SLOT,
    ENTRY_SLOTS,
    QUEUE_SLOTS,
    MessageFrame,
    Slot,
    is_whole,
)
from tests.archive_store.test_second_reader import field, frames

PAGE = Path(__file__).parents[2] / "docs" / "store-format.md"
ARRIVAL = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=1795478400000000)
FRAME = MessageFrame(
    message_id=b"M" * 16,
    tenant_id=b"T" * 16,
    received_at=ARRIVAL,
    size=5,
    receipt=b"RR",
    slots=(Slot(ENTRY_SLOT, b"I" * 16, b"O" * 16, b"W" * 16, bytes(range(60)), b"env"),),
    content=b"sealed",
)


def example() -> list[tuple[bytes, str]]:
    """The lines of the example: octets, and what the page says that they are."""
    _, _, section = PAGE.read_text().partition("## A worked example")
    [block] = re.findall(r"```\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    lines = [line.partition(" ") for line in block.splitlines()]
    return [(bytes.fromhex(octets), words.strip()) for octets, _, words in lines]


def test_the_example_is_what_the_store_writes_and_reads() -> None:
    octets = b"".join(part for part, _ in example())
    assert is_whole(octets)
    assert MessageFrame.decode(octets) == FRAME
    assert FRAME.encode() == octets


def test_the_example_is_what_the_second_reader_reads() -> None:
    [(kind, [slot], body)] = frames(b"".join(part for part, _ in example()))
    assert (kind, slot[:1], slot[-60:]) == (1, b"E", bytes(range(60)))
    receipt, at = field(body, 48)
    envelope, at = field(body, at)
    assert (receipt, envelope, body[at:]) == (b"RR", b"env", b"sealed")


def test_the_example_says_of_its_numbers_what_they_are() -> None:
    said = {words: int.from_bytes(part) for part, words in example()}
    assert said["the body has 67 octets"] == 67
    assert said["arrival: 1795478400000000 microseconds"] == 1795478400000000
    assert (said["kind: a message"], said["one slot"], said["size of the mail"]) == (1, 1, 5)


@pytest.mark.parametrize("kinds", [ENTRY_SLOTS, QUEUE_SLOTS])
def test_no_bit_that_flips_makes_one_kind_of_slot_another(kinds: tuple[bytes, ...]) -> None:
    for one, other in combinations(kinds, 2):
        assert (one[0] ^ other[0]).bit_count() >= 2
