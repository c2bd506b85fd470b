"""Conversations: which messages are joined, by what, and what hostile ids cost."""

import random
from collections.abc import Iterable, Sequence

import pytest

from archive_store.errors import SealBroken
from archive_store.indexing import IndexedSummary
from archive_store.mime.parse import parse_for_list
from archive_store.mime.summary import Summary, summarise
from archive_store.threads import MOST_COPIES, Links, Threads, links_of


def sets(messages: Sequence[tuple[str, str]], order: Iterable[int] | None = None) -> list[set[int]]:
    """The conversations of (Message-ID, References) pairs, numbered from 1."""
    threads = Threads()
    for at in order if order is not None else range(len(messages)):
        message_id, references = messages[at]
        threads.add(at + 1, Links(message_id.encode(), references.encode().split()))
    found = {threads.of(n): set(threads.members(n)) for n in range(1, len(messages) + 1)}
    return sorted(found.values(), key=min)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param([("a", ""), ("b", "a"), ("c", "a b")], [{1, 2, 3}], id="answers"),
        pytest.param([("a", ""), ("b", "")], [{1}, {2}], id="strangers"),
        pytest.param([("b", "gone"), ("c", "gone")], [{1, 2}], id="a parent that is not here"),
        pytest.param([("c", "x b"), ("d", "y b")], [{1, 2}], id="one common ancestor of several"),
        pytest.param([("a", "b"), ("b", "a")], [{1, 2}], id="a loop"),
        pytest.param([("a", "b"), ("b", "c"), ("c", "a")], [{1, 2, 3}], id="a longer loop"),
        pytest.param([("a", "a"), ("b", "b b b")], [{1}, {2}], id="itself"),
        pytest.param([("a", ""), ("a", ""), ("b", "a")], [{1, 2, 3}], id="delivered twice"),
        pytest.param([("", ""), ("", ""), ("", "a"), ("a", "")], [{1}, {2}, {3, 4}], id="no id"),
        pytest.param([("A", ""), ("a", "")], [{1}, {2}], id="ids know capital letters"),
    ],
)
def test_ids_join_whatever_the_order(
    messages: Sequence[tuple[str, str]], expected: list[set[int]]
) -> None:
    for seed in range(10):
        order = list(range(len(messages)))
        random.Random(seed).shuffle(order)
        assert sets(messages, order) == expected


def test_an_id_that_a_device_writes_for_ever_joins_nothing_more() -> None:
    same = [("scan@printer", "")] * (MOST_COPIES + 30)
    found = sets([*same, ("re", "scan@printer")])
    assert sorted(map(len, found)) == [1] * 30 + [MOST_COPIES + 1]


def test_ten_thousand_references_and_a_chain_as_long_are_one_conversation_each() -> None:
    many = " ".join(f"{n}@x" for n in range(10_000))
    assert sets([("a", many), ("b", "9999@x"), ("c", "0@x"), ("d", "")]) == [{1, 2, 3}, {4}]
    chain = [(f"{n}@y", f"{n - 1}@y") for n in range(10_000)]
    assert [len(one) for one in sets(chain)] == [10_000]


def test_who_was_never_added_is_alone() -> None:
    threads = Threads()
    threads.add(1, Links(b"a", []))
    assert 1 in threads
    assert 7 not in threads
    assert threads.of(7) != threads.of(1)
    assert threads.of(7) != threads.of(8)
    assert threads.members(7) == [7]


def octets(**fields: object) -> bytes:
    summary = Summary(**fields)  # type: ignore[arg-type]  # names of its own fields
    return IndexedSummary(summary, "vlad@acme.example", "h@in.example", genuine=True).to_octets()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"message_id": "<a@x>"}, Links(b"<a@x>", [])),
        ({"message_id": "<a@x>", "in_reply_to": "<b@x>"}, Links(b"<a@x>", [b"<b@x>"])),
        (
            {"message_id": "<a@x>", "in_reply_to": "<q@x>", "references": ("<b@x>", "<c@x>")},
            Links(b"<a@x>", [b"<b@x>", b"<c@x>"]),
        ),
        ({"message_id": "<a@x>", "references": ("<b@x>",)}, Links(b"<a@x>", [b"<b@x>"])),
        ({"in_reply_to": "<b@x>"}, Links(b"", [b"<b@x>"])),
        ({}, Links(b"", [])),
        ({"message_id": '<"a"@x>', "in_reply_to": "<b@x>"}, Links(b"<a@x>", [b"<b@x>"])),
        ({"message_id": "<a@x>", "in_reply_to": '<"b"@x>'}, Links(b"<a@x>", [b"<b@x>"])),
        (
            {"message_id": "<a@x>", "references": ("<b@x>", '<"c\\"@x>')},
            Links(b"<a@x>", [b"<b@x>", b"<c@x>"]),
        ),
        ({"message_id": "<ü@x>"}, Links("<ü@x>".encode(), [])),
    ],
)
@pytest.mark.parametrize("subject", ["", "Grüße", ',"message_id":"<evil@x>","preview":"', "\\"])
def test_the_ids_are_those_of_the_whole_summary(
    fields: dict[str, object], expected: Links, subject: str
) -> None:
    for preview in ("", subject):
        found = links_of(octets(subject=subject, **fields, preview=preview))
        assert (found.message_id, list(found.parents)) == (expected.message_id, expected.parents)


def test_what_is_no_summary_has_no_ids() -> None:
    with pytest.raises(SealBroken):
        links_of(b"{}")


def test_a_mail_is_joined_by_what_its_header_says_and_never_by_its_subject() -> None:
    def mail(header: str) -> bytes:
        parsed = parse_for_list(f"Subject: Re: Lunch\r\n{header}\r\n\r\nx\r\n".encode())
        return IndexedSummary(summarise(parsed), "v@a.example", "", genuine=True).to_octets()

    headers = (
        "Message-ID: <1@x>",
        "Message-ID: <2@x>\r\nIn-Reply-To: <1@x>",
        "Message-ID: <3@x>\r\nIn-Reply-To: <1@x>\r\nReferences: <other@x>",
        "Message-ID: <4@x>\r\nReferences:" + "\r\n <gone@x>" * 200 + "\r\n <2@x>",
        "Message-ID: <5@x>",
    )
    threads = Threads()
    for number, header in enumerate(headers, 1):
        threads.add(number, links_of(mail(header)))
    assert set(threads.members(1)) == {1, 2, 4}, "References count before In-Reply-To"
    assert list(threads.members(5)) == [5], "the same subject is no conversation"
