"""Scanning summaries opens the same boxes as opening them one by one, and no others."""

from datetime import date

import pytest

from archive_store import seal
from archive_store.directory import Owner
from archive_store.errors import SealBroken
from archive_store.ids import new_id
from archive_store.indexing import IndexedSummary
from archive_store.mime.summary import Summary
from archive_store.summaries import SummarySealer
from archive_store.summary_scan import OpenedSummary, SummaryScan, WordsScan

DAY = date(2026, 11, 24)
INDEXED = IndexedSummary(
    Summary(subject="Grüße", to=("a@b.example",), has_attachments=True),
    "vlad@acme.example",
    "hanna@in.example",
    genuine=True,
)


def sealer(key: bytes, owner: Owner, day: date = DAY) -> SummarySealer:
    return SummarySealer(b"i" * 16, owner, day, key)


def test_a_scan_opens_what_was_sealed_for_that_place_alone() -> None:
    key, owner = seal.new_key(), Owner.mailbox(new_id(), new_id())
    entry_id = new_id()
    sealed = sealer(key, owner).seal_summary(entry_id, INDEXED.to_octets())
    opened = SummaryScan(sealer(key, owner)).open(entry_id, sealed)
    assert (opened.sent_to, opened.parse()) == ("vlad@acme.example", INDEXED)
    words = sealer(key, owner).seal_words(entry_id, "s\tgrüße")
    assert sealer(key, owner).open_words(entry_id, words) == "s\tgrüße"
    assert WordsScan(sealer(key, owner)).text(entry_id, words) == "s\tgrüße"
    assert WordsScan(sealer(key, owner)).folded(entry_id, words) == b"s\tgrusse"
    with pytest.raises(SealBroken):
        WordsScan(sealer(key, owner)).text(entry_id, sealed)
    changed = bytes([sealed[0] ^ 1]) + sealed[1:]
    for scan, one, octets in (
        (sealer(key, owner), new_id(), sealed),
        (sealer(seal.new_key(), owner), entry_id, sealed),
        (sealer(key, Owner.mailbox(owner.tenant_id, new_id())), entry_id, sealed),
        (sealer(key, owner, date(2026, 11, 23)), entry_id, sealed),
        (sealer(key, owner), entry_id, changed),
        (sealer(key, owner), entry_id, sealed[:20]),
        (sealer(key, owner), entry_id, b""),
    ):
        with pytest.raises(SealBroken):
            SummaryScan(scan).open(one, octets)


@pytest.mark.parametrize(
    "address",
    ["vlad@acme.example", 'a"b@c.example', "a\\b@c.example", "grüße@in.example", "", "\udcff@x"],
)
def test_the_recipient_is_the_one_of_the_whole_summary(address: str) -> None:
    tricky = '", "sent_to": "other@in.example", "mail_from": "'
    indexed = IndexedSummary(Summary(subject=tricky), address, tricky, genuine=True)
    opened = OpenedSummary(indexed.to_octets())
    assert opened.sent_to == address
    assert opened.parse() == indexed


@pytest.mark.parametrize("octets", [b"", b"nonsense", b"[]", b"{}", b"\xff"])
def test_what_is_no_summary_is_said_to_be_none(octets: bytes) -> None:
    with pytest.raises(SealBroken):
        OpenedSummary(octets)
