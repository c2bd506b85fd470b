"""A receipt says which of our writers stored something, and of nothing else."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive_store.directory import public_octets
from archive_store.receipts import ReceiptBook, ReceiptKey, statement

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def said(number: int) -> bytes:
    return statement(b"place", b"sealed %d" % number, number, NOW)


@pytest.fixture
def key(tmp_path: Path) -> ReceiptKey:
    return ReceiptKey.create(tmp_path, "ingest")


@pytest.fixture
def book(key: ReceiptKey, tmp_path: Path) -> ReceiptBook:
    web = ReceiptKey.create(tmp_path, "web")
    return ReceiptBook({"web": public_octets(web.key), "ingest": public_octets(key.key)})


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 200])
def test_each_of_a_batch_has_its_own_receipt(
    key: ReceiptKey, book: ReceiptBook, count: int
) -> None:
    receipts = key.sign([said(number) for number in range(count)])
    for number, receipt in enumerate(receipts):
        assert book.genuine(receipt, said(number)) == "ingest"
        assert book.genuine(receipt, said(number + 1)) is None


def test_nothing_to_sign_is_no_receipt(key: ReceiptKey) -> None:
    assert key.sign([]) == []


@pytest.mark.parametrize("count", [1, 5])
def test_any_changed_octet_makes_it_invalid(key: ReceiptKey, book: ReceiptBook, count: int) -> None:
    receipt = key.sign([said(number) for number in range(count)])[0]
    assert book.genuine(receipt, said(0)) == "ingest"
    for at in range(len(receipt)):
        changed = receipt[:at] + bytes([receipt[at] ^ 1]) + receipt[at + 1 :]
        assert book.genuine(changed, said(0)) is None


@pytest.mark.parametrize("wrong", [b"", b"x" * 63, b"x" * 64, b"x" * 65, b"x" * (64 + 33 * 3)])
def test_what_is_no_receipt_is_not_genuine(book: ReceiptBook, wrong: bytes) -> None:
    assert book.genuine(wrong, said(0)) is None


def test_a_shorter_or_longer_way_is_not_genuine(key: ReceiptKey, book: ReceiptBook) -> None:
    receipt = key.sign([said(number) for number in range(8)])[3]
    assert book.genuine(receipt[:-33], said(3)) is None
    assert book.genuine(receipt[:-1], said(3)) is None
    assert book.genuine(receipt + receipt[-33:], said(3)) is None
    assert book.genuine(receipt[:64], said(3)) is None


def test_a_node_of_the_tree_cannot_pass_as_a_statement(key: ReceiptKey, book: ReceiptBook) -> None:
    first, _ = key.sign([said(0), said(1)])
    # What the root is made of, offered as a statement whose way is empty.
    inner = b"\x01" + first[-32:] * 2
    assert book.genuine(first[:64], inner) is None


def test_a_stranger_s_receipt_is_not_genuine(book: ReceiptBook, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    stranger = ReceiptKey.create(tmp_path / "other", "ingest")
    [receipt] = stranger.sign([said(0)])
    assert book.genuine(receipt, said(0)) is None
