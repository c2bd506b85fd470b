"""The one form of an audit entry."""

import hashlib
import json
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit import Actor, Via, events
from app.audit.canonical import (
    LONGEST_TEXT,
    AuditEntry,
    NotCanonical,
    decode,
    details_of,
    encode,
    entry_hash,
    genesis,
)
from app.audit.kinds import Kind

ENTRY = AuditEntry(
    trail=b"t" * 16,
    seq=7,
    prev=b"p" * 32,
    at=datetime(2026, 11, 24, 6, 30, 0, 5, tzinfo=UTC),
    event="message.opened",
    actor=Actor(user_id=b"u" * 16, address="vlad@acme.example", client_ip="192.0.2.7"),
    details={"entry_id": "é\n", "index": 3, "final": True, "none": None},
)


def all_events() -> list[type[events.Event]]:
    found = [
        k for k in vars(events).values() if isinstance(k, type) and issubclass(k, events.Event)
    ]
    return [kind for kind in found if kind is not events.Event]


def test_the_octets_of_an_entry_are_fixed_for_good() -> None:
    assert encode(ENTRY).decode() == (
        '{"actor":{"address":"vlad@acme.example","client_ip":"192.0.2.7",'
        '"id":"ov2xk5lvov2xk5lvov2xk5lvou","via":"web"},"at":"2026-11-24T06:30:00.000005Z",'
        '"details":{"entry_id":"é\\n","final":true,"index":3,"none":null},'
        '"event":"message.opened","prev":"' + "70" * 32 + '","seq":7,'
        '"trail":"or2hi5duor2hi5duor2hi5duoq","v":1}'
    )
    assert (
        entry_hash(encode(ENTRY)).hex()
        == "e5c85ea268fb09bc3980a0c7dea5e98e8b58f8fb5b3db3f002e59825bd2d353f"
    )
    assert (
        genesis(ENTRY.trail) == hashlib.sha256(b"LiveArchive audit trail v1\n" + b"t" * 16).digest()
    )


def test_decode_reads_what_encode_writes() -> None:
    assert decode(encode(ENTRY)) == ENTRY


@given(st.text(), st.integers(-(2**53) + 1, 2**53 - 1), st.booleans())
def test_any_detail_survives(text: str, number: int, flag: bool) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Tried(events.Event):
        name = Kind.DOMAIN_CHANGED
        text: str
        number: int
        flag: bool

    entry = replace(ENTRY, details=details_of(Tried(text=text, number=number, flag=flag)))
    assert decode(encode(entry)) == entry


def test_the_same_moment_has_one_spelling() -> None:
    elsewhere = ENTRY.at.astimezone(timezone(timedelta(hours=9)))
    assert encode(replace(ENTRY, at=elsewhere)) == encode(ENTRY)


def respelled() -> list[bytes]:
    octets = encode(ENTRY)
    content = json.loads(octets)
    unsorted = dict(reversed(content.items()))
    return [
        octets + b" ",
        b" " + octets,
        octets + b"\n",
        b"\xef\xbb\xbf" + octets,
        json.dumps(content).encode(),
        json.dumps(content, sort_keys=True, separators=(",", ":")).encode(),  # é as an escape
        json.dumps(unsorted, ensure_ascii=False, separators=(",", ":")).encode(),
        octets.replace(b"\\n", b"\\u000a"),
        octets.replace(b'"seq":7', b'"seq":7.0'),
        octets.replace(b'"seq":7', b'"seq":7e0'),
        octets.replace(b'"seq":7', b'"seq":-0'),
        octets.replace(b'"seq":7', b'"seq":"7"'),
        octets.replace(b'"seq":7', b'"seq":true'),
        octets.replace(b'"seq":7', b'"seq":7,"seq":7'),
        octets.replace(b'"seq":7', b'"seq":9007199254740993'),
        octets.replace(b'"v":1', b'"v":2'),
        octets.replace(b'"v":1', b'"v":1,"w":1'),
        octets.replace(b'"none":null', b'"none":NaN'),
        octets.replace(b'"none":null', b'"none":[]'),
        octets.replace(b'"none":null', b'"none":{}'),
        octets.replace(b"7070", b"7J70", 1),
        octets.replace(b'"prev":"70', b'"prev":"'),
        octets.replace(b"00.000005Z", b"00.5Z"),
        octets.replace(b"00.000005Z", b"00.000005+00:00"),
        octets.replace(b'"via":"web"', b'"via":"ghost"'),
        octets.replace(b'"via":"web"', b'"via":"web","x":1'),
        octets.replace(b"ov2xk5lvov2xk5lvov2xk5lvou", b"ov2xk5lvov2xk5lvov2xk5lvov"),
        octets.replace(b'"vlad@acme.example"', b"5"),
        octets.replace(b'"vlad@acme.example"', b'"' + b"a" * (LONGEST_TEXT + 1) + b'"'),
        octets.replace(b'"message.opened"', b"[]"),
        octets.replace("é".encode(), b"\xe9"),
        octets.replace("é".encode(), b"\\ud800"),
        b"",
        b"[]",
        b"{}",
        b"null",
        b"[" * 60_000,
        b'{"a":' * 20_000,
        b"9" * 6000,
        b'"' + b"x" * 300_000 + b'"',
    ]


@pytest.mark.parametrize("octets", respelled(), ids=lambda octets: str(octets[:20]))
def test_every_other_spelling_is_refused(octets: bytes) -> None:
    assert octets != encode(ENTRY)
    with pytest.raises(NotCanonical):
        decode(octets)


def test_no_single_flipped_bit_gives_another_entry_with_the_same_hash() -> None:
    octets = encode(ENTRY)
    for place in range(len(octets)):
        for bit in range(8):
            changed = bytearray(octets)
            changed[place] ^= 1 << bit
            assert entry_hash(bytes(changed)) != entry_hash(octets)


def test_a_naive_or_unknown_value_cannot_be_recorded() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Odd(events.Event):
        name = Kind.DOMAIN_CHANGED
        value: object

    with pytest.raises(TypeError):
        details_of(Odd(value=["a", "list"]))
    assert details_of(Odd(value=date(2026, 11, 24))) == {"value": "2026-11-24"}
    assert details_of(Odd(value=Via.COMMAND)) == {"value": "command"}
    assert details_of(Odd(value=ENTRY.at)) == {"value": "2026-11-24T06:30:00.000005Z"}


def test_every_kind_has_one_event_type_and_a_docstring() -> None:
    assert sorted(kind.name for kind in all_events()) == sorted(Kind)
    # A dataclass without a docstring gets its signature for one.
    assert not [kind for kind in all_events() if str(kind.__doc__).startswith(kind.__name__)]


def test_no_event_can_hold_a_word_of_mail() -> None:
    forbidden = {"subject", "sender", "recipient", "mail_from", "rcpt_to", "filename", "words"}
    for kind in all_events():
        assert forbidden.isdisjoint(field.name for field in fields(kind)), kind


def test_every_event_is_documented_with_its_details() -> None:
    text = (Path(__file__).parents[3] / "docs" / "audit.md").read_text("utf-8")
    for kind in all_events():
        details = ", ".join(f"`{field.name}`" for field in fields(kind)) or "none"
        assert f"| `{kind.name}` | {details} |\n" in text
