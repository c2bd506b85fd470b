"""The one form of an audit entry: octets that are stored, hashed and exported as they are.

An entry is a JSON object as RFC 8785 (JCS) writes it: UTF-8, keys sorted, no spaces,
whole numbers only, the shortest escapes. `decode` takes exactly what `encode` makes and
raises `NotCanonical` for every other spelling of the same content, so that no octet of
an entry can differ without being noticed even by a reader that skips the hashes.

Keys of an entry: v (1), trail and seq (its place), prev (SHA-256 of the entry before, in
hexadecimal), at (UTC, microseconds), event, actor {address, client_ip, id, via}, details.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any

from app.audit.events import Event
from app.viewer import Actor, Via
from archive_store import ids

VERSION = 1
LONGEST_ENTRY = 64 * 1024
LONGEST_TEXT = 500  # characters; longer is cut before it is recorded. Never lower it:
# entries that were written with longer texts would no longer be canonical.
HASH_OCTETS = 32
_LARGEST_NUMBER = 2**53 - 1  # RFC 8785 section 3.2.2.3: what every JSON reader keeps exactly
_ENTRY_CONTEXT = b"LiveArchive audit entry v1\n"
_GENESIS_CONTEXT = b"LiveArchive audit trail v1\n"
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
_ENTRY_KEYS = {"v", "trail", "seq", "prev", "at", "event", "actor", "details"}
_ACTOR_KEYS = {"address", "client_ip", "id", "via"}

Value = str | int | bool | None
Details = Mapping[str, Value]


class NotCanonical(ValueError):
    """Octets that are not an entry, or are another spelling of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry of a trail."""

    trail: bytes
    seq: int  # from 1, without a gap
    prev: bytes  # hash of the entry before; `genesis(trail)` for the first
    at: datetime
    event: str
    actor: Actor
    details: Details


def details_of(event: Event) -> Details:
    """The fields of an event as an entry keeps them: ids in the form that people see."""
    return {field.name: _value(getattr(event, field.name)) for field in fields(event)}


def encode(entry: AuditEntry) -> bytes:
    """The octets of an entry."""
    return encode_json(
        {
            "v": VERSION,
            "trail": ids.show(entry.trail),
            "seq": entry.seq,
            "prev": entry.prev.hex(),
            "at": write_time(entry.at),
            "event": str(entry.event),
            "actor": {
                "address": clean_text(entry.actor.address),
                "client_ip": clean_text(entry.actor.client_ip),
                "id": ids.show(entry.actor.user_id) if entry.actor.user_id else None,
                "via": str(entry.actor.via),
            },
            "details": dict(entry.details),
        }
    )


def decode(octets: bytes) -> AuditEntry:
    """Read an entry; raises NotCanonical for anything that `encode` would write differently."""
    content = decode_json(octets)
    try:
        if content.keys() != _ENTRY_KEYS or content["actor"].keys() != _ACTOR_KEYS:
            raise NotCanonical("has other keys")
        actor = content["actor"]
        entry = AuditEntry(
            trail=ids.read(content["trail"]),
            seq=_number(content["seq"]),
            prev=bytes.fromhex(content["prev"]),
            at=read_time(content["at"]),
            event=content["event"],
            actor=Actor(
                user_id=None if actor["id"] is None else ids.read(actor["id"]),
                address=actor["address"],
                client_ip=actor["client_ip"],
                via=Via(actor["via"]),
            ),
            details={key: _flat(value) for key, value in content["details"].items()},
        )
        same = len(entry.prev) == HASH_OCTETS and encode(entry) == octets
    except (ValueError, TypeError, AttributeError) as error:
        raise NotCanonical("is not an audit entry") from error
    if not same:
        raise NotCanonical("is an entry in another spelling")
    return entry


def entry_hash(octets: bytes) -> bytes:
    """What the next entry names as `prev`."""
    return hashlib.sha256(_ENTRY_CONTEXT + octets).digest()


def genesis(trail: bytes) -> bytes:
    """What the first entry of a trail names as `prev`."""
    return hashlib.sha256(_GENESIS_CONTEXT + trail).digest()


def encode_json(content: Mapping[str, Any]) -> bytes:
    """RFC 8785 for objects whose keys are ASCII and whose numbers are whole."""
    text = json.dumps(
        content, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    return text.encode("utf-8")


def decode_json(octets: bytes) -> dict[str, Any]:
    """Read an object that `encode_json` wrote; every other spelling is NotCanonical."""
    if len(octets) > LONGEST_ENTRY * 2:
        raise NotCanonical("is too long")
    try:
        content = json.loads(octets.decode("utf-8"), parse_float=_refuse, parse_constant=_refuse)
        if isinstance(content, dict) and encode_json(content) == octets:
            return content
    # RecursionError: brackets nested by the thousand.
    except (ValueError, RecursionError) as error:
        raise NotCanonical("is not canonical JSON") from error
    raise NotCanonical("is not canonical JSON")


def write_time(moment: datetime) -> str:
    """RFC 3339 in UTC, always with microseconds: one spelling for one moment."""
    return moment.astimezone(UTC).strftime(_TIME)


def read_time(text: str) -> datetime:
    """The reverse; raises ValueError. That it is the one spelling, `decode` checks."""
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


def clean_text(text: str) -> str:
    """Text that UTF-8 can hold, cut to a length that leaves an entry small."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")


def _value(value: object) -> Value:
    if isinstance(value, bytes):
        return ids.show(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return _number(value)
    if isinstance(value, datetime):
        return write_time(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return clean_text(str(value))
    raise TypeError(f"an audit event cannot hold {type(value).__name__}")


def _flat(value: object) -> Value:
    if value is None or isinstance(value, str | bool):
        return value
    return _number(value)


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST_NUMBER:
        raise NotCanonical("has a number that is not whole")
    return value


def _refuse(_text: str) -> None:
    raise NotCanonical("has a number that is not whole")
