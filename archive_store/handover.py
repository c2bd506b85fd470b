"""Mail on its way from the process that took it to the process that stores it, as octets.

    request  number 8 | head length 4 | mail length 8 | head | mail
    answer   number 8 | outcome 1

Numbers are big-endian; the number of a request comes back in its answer. The head
is JSON: what each tenant gets of the mail, whose octets follow once. An answer
says only whether the unit is durable: the door needs no more.
"""

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from archive_store.envelope import DsnWishes, Envelope
from archive_store.errors import StoreBusy, StoreError, StoreFull, WriteFailed
from archive_store.maillog import LogEntry
from archive_store.sealing import Copy, Incoming, Relay

REQUEST = struct.Struct(">QIQ")
ANSWER = struct.Struct(">QB")

_STORED = 0
_FAILURES: dict[int, tuple[type[StoreError], str]] = {
    1: (StoreFull, "no room to store mail"),
    2: (StoreBusy, "the database is locked or cannot be reached"),
    3: (WriteFailed, "the mail could not be stored"),
}
_ENVELOPE = tuple(field.name for field in fields(Envelope))
_LOG = tuple(field.name for field in fields(LogEntry))
_JSON = json.JSONEncoder(separators=(",", ":"))


def request(number: int, mails: Sequence[Incoming]) -> tuple[bytes, bytes]:
    """A request: what stands before the octets of the mail, and these. All mails have the same."""
    octets = mails[0].octets
    if any(mail.octets is not octets for mail in mails):
        raise ValueError("a unit is one mail, for one tenant or more")
    head = _JSON.encode([_write_mail(mail) for mail in mails]).encode()
    return REQUEST.pack(number, len(head), len(octets)) + head, octets


def unit(head: bytes, octets: bytes) -> list[Incoming]:
    """The mails of a request; ValueError, TypeError or KeyError when it is none."""
    return [_read_mail(row, octets) for row in json.loads(head)]


def answer(number: int, error: StoreError | None) -> bytes:
    """What became of a request."""
    outcome = _STORED if error is None else 3
    for code, (kind, _) in _FAILURES.items():
        if isinstance(error, kind):
            outcome = code
    return ANSWER.pack(number, outcome)


def answers(octets: bytes) -> Iterator[tuple[int, StoreError | None]]:
    """The answers in `octets`, which holds whole ones only."""
    for number, outcome in ANSWER.iter_unpack(octets):
        if outcome == _STORED:
            yield number, None
        else:
            kind, text = _FAILURES[outcome]
            yield number, kind(text)


def _write_mail(mail: Incoming) -> list[Any]:
    return [
        mail.tenant_id.hex(),
        mail.received_at.isoformat(),
        [
            [copy.mailbox_id.hex(), _write_envelope(copy.envelope), copy.folder, copy.seen]
            for copy in mail.copies
        ],
        [_write_relay(relay) for relay in mail.relays],
        [getattr(mail.log, name) for name in _LOG] if mail.log else None,
    ]


def _read_mail(row: list[Any], octets: bytes) -> Incoming:
    tenant, received_at, copies, relays, log = row
    return Incoming(
        bytes.fromhex(tenant),
        octets,
        datetime.fromisoformat(received_at),
        tuple(
            Copy(bytes.fromhex(mailbox), _read_envelope(*envelope), folder, seen)
            for mailbox, envelope, folder, seen in copies
        ),
        tuple(_read_relay(*relay) for relay in relays),
        _read_log(log) if log else None,
    )


def _write_envelope(envelope: Envelope) -> list[Any]:
    return [getattr(envelope, name) for name in _ENVELOPE]


def _read_envelope(*values: Any) -> Envelope:
    dsn = values[-1]
    return Envelope(*(*values[:-1], None if dsn is None else DsnWishes(*dsn)))


def _write_relay(relay: Relay) -> list[Any]:
    return [
        relay.kind,
        _write_envelope(relay.envelope),
        relay.not_before.isoformat() if relay.not_before else None,
        relay.mailbox_id.hex() if relay.mailbox_id else None,
    ]


def _read_relay(
    kind: str, envelope: list[Any], not_before: str | None, mailbox: str | None
) -> Relay:
    return Relay(
        kind,
        _read_envelope(*envelope),
        datetime.fromisoformat(not_before) if not_before else None,
        bytes.fromhex(mailbox) if mailbox else None,
    )


def _read_log(row: list[Any]) -> LogEntry:
    named = dict(zip(_LOG, row, strict=True))
    named["recipients"] = tuple(named["recipients"])
    return LogEntry(**named)
