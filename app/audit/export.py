"""Writing a trail, or a range of it, to one file that proves itself (docs/audit.md).

The file is lines of canonical JSON: a header, one line for each entry, a footer with an
Ed25519 signature over the header and the head of the chain. A range begins with the hash
of the entry before it, so that files of neighbouring ranges fit together. Each entry is
proved against the one before while it is written: of a broken trail nothing is signed.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit.canonical import encode_json, genesis, write_time
from app.audit.trail import INSTALLATION, AuditBroken, head_of, stored_entries
from app.models import AuditEvent
from archive_store import ids

FORMAT = "livearchive-audit-export-1"
SIGNED_CONTEXT = b"LiveArchive audit export v1\n"
PUBLIC_KEY_OCTETS = 32
SIGNATURE_OCTETS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The installation's audit key, as far as an export needs it. The keys role holds the
    private half; it may refuse what does not begin with SIGNED_CONTEXT.
    """

    installation: bytes
    public_key: bytes
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRange:
    """Which entries: of a domain (None: the installation's), from `since` until before `until`."""

    trail: bytes | None
    domain: str  # its name, for people; empty for the installation's trail
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSummary:
    """What a file holds."""

    first: int
    last: int
    count: int
    head: bytes


def export(
    tx: Session, out: BinaryIO, wanted: ExportRange, signer: Signer, now: datetime
) -> ExportSummary:
    """Write the file to `out`; raises AuditBroken at the first entry that proves wrong."""
    trail = wanted.trail or INSTALLATION
    first, last = _bounds(tx, trail, wanted)
    head = _hash_before(tx, trail, first)
    header = encode_json(
        {
            "format": FORMAT,
            "installation": ids.show(signer.installation),
            "trail": ids.show(trail),
            "domain": wanted.domain,
            "from": write_time(wanted.since) if wanted.since else None,
            "to": write_time(wanted.until) if wanted.until else None,
            "exported_at": write_time(now),
            "first": first,
            "prev": head.hex(),
            "public_key": signer.public_key.hex(),
        }
    )
    out.write(header + b"\n")
    for stored in stored_entries(tx, trail, first, last, head):
        out.write(
            encode_json(
                {
                    "seq": stored.entry.seq,
                    "prev": head.hex(),
                    "hash": stored.hash.hex(),
                    "octets": base64.b64encode(stored.octets).decode("ascii"),
                }
            )
            + b"\n"
        )
        head = stored.hash
    footer: dict[str, Any] = {"count": last - first + 1, "last": last, "head": head.hex()}
    signature = signer.sign(signed_octets(header, encode_json(footer)))
    out.write(encode_json(footer | {"signature": signature.hex()}) + b"\n")
    return ExportSummary(first=first, last=last, count=last - first + 1, head=head)


def signed_octets(header: bytes, unsigned_footer: bytes) -> bytes:
    """What the signature is over. Neither line can hold a line end, so this is unambiguous."""
    return SIGNED_CONTEXT + header + b"\n" + unsigned_footer + b"\n"


def _bounds(tx: Session, trail: bytes, wanted: ExportRange) -> tuple[int, int]:
    """First and last number. A clock that was set back leaves times out of order; between
    the first and the last entry of the range everything belongs to it, without a gap.
    """
    newest, _ = head_of(tx, trail)
    of_trail = AuditEvent.trail == trail
    first, last = 1, newest
    if wanted.since is not None:
        since = select(func.min(AuditEvent.seq)).where(of_trail, AuditEvent.at >= wanted.since)
        first = tx.scalar(since) or newest + 1
    if wanted.until is not None:
        until = select(func.max(AuditEvent.seq)).where(of_trail, AuditEvent.at < wanted.until)
        last = tx.scalar(until) or 0
    return first, max(last, first - 1)


def _hash_before(tx: Session, trail: bytes, first: int) -> bytes:
    if first == 1:
        return genesis(trail)
    before = tx.get(AuditEvent, (trail, first - 1))
    if before is None:
        raise AuditBroken(first - 1, "is missing")
    return before.hash
