"""Mail and answers survive the way between two processes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_store import handover
from archive_store.envelope import DsnWishes, Envelope
from archive_store.errors import KeysMissing, StoreBusy, StoreError, StoreFull, WriteFailed
from archive_store.maillog import LogEntry
from archive_store.sealing import Copy, Incoming, Relay

ids = st.binary(min_size=16, max_size=16)
# What a client sent may hold octets that are no UTF-8; they travel as surrogates.
texts = st.text() | st.binary().map(lambda octets: octets.decode("utf-8", "surrogateescape"))
times = st.datetimes(timezones=st.just(UTC))
wishes = st.none() | st.builds(DsnWishes, texts, texts, texts, texts)
flags = st.booleans()
envelopes = st.builds(Envelope, texts, texts, texts, texts, texts, flags, flags, wishes)
copies = st.builds(Copy, ids, envelopes, st.sampled_from(["inbox", "spam"]), st.booleans())
relays = st.builds(Relay, st.just("primary"), envelopes, st.none() | times, st.none() | ids)
entries = st.builds(
    LogEntry,
    texts,
    recipients=st.lists(texts, max_size=3).map(tuple),
    subject=texts,
    size=st.integers(0, 2**40),
    more=st.dictionaries(texts, texts, max_size=2),
)


@st.composite
def units(draw: st.DrawFn) -> list[Incoming]:
    octets = draw(st.binary())
    return [
        Incoming(
            draw(ids),
            octets,
            draw(times),
            tuple(draw(st.lists(copies, max_size=2))),
            tuple(draw(st.lists(relays, max_size=2))),
            draw(st.none() | entries),
        )
        for _ in range(draw(st.integers(1, 2)))
    ]


@given(units(), st.integers(0, 2**64 - 1))
def test_a_unit_arrives_as_it_left(unit: list[Incoming], number: int) -> None:
    head, octets = handover.request(number, unit)
    given_number, head_length, length = handover.REQUEST.unpack_from(head)
    assert (given_number, length) == (number, len(octets))
    body = head[handover.REQUEST.size :]
    assert len(body) == head_length
    assert handover.unit(body, octets) == unit


def test_a_unit_is_one_mail() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="one mail"):
        handover.request(1, [Incoming(b"t" * 16, b"one", now), Incoming(b"t" * 16, b"two", now)])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (StoreFull("x"), StoreFull),
        (StoreBusy("x"), StoreBusy),
        (WriteFailed("x"), WriteFailed),
        (KeysMissing("x"), StoreError),
    ],
)
def test_an_answer_tells_what_kind_of_failure_it_was(
    error: StoreError, kind: type[StoreError]
) -> None:
    octets = handover.answer(7, None) + handover.answer(8, error)
    (seven, nothing), (eight, failure) = handover.answers(octets)
    assert (seven, nothing, eight) == (7, None, 8)
    assert isinstance(failure, kind)
    assert failure.transient
