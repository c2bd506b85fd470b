"""What the stand-in mail server keeps: each message as it came, beside a small envelope file.

A shelf is a folder: `<address>/<id>.eml` has the octets after SMTP dot-unstuffing (RFC 5321
section 4.5.2), untouched; `<address>/<id>.json` has the envelope and a few headers to list them
by. The envelope file is written last: a message without one was never answered with 250, and is
ignored. Disk trouble comes out as OSError; a header that cannot be decoded is shown as it stands.
"""

import json
import re
import secrets
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser
from hashlib import sha256
from pathlib import Path
from typing import Any

from archive_store.durable import make_folder, replace_file

REMEMBERED = 1000  # messages listed without going to the disk again
HEADER_OCTETS = 256 * 1024
NAME_OCTETS = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789@._+-")
SHOWN = 300  # characters of a subject or a sender in a list
ID = re.compile(r"[0-9]{8}T[0-9]{12}Z-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class KeptMail:
    """One message of one recipient. `received_lines` counts the Received headers it came with."""

    id: str
    at: datetime
    mail_from: str  # empty: the null sender of RFC 5321 section 4.5.5
    rcpt_to: str
    helo: str
    client: str
    size: int
    subject: str
    sender: str
    message_id: str
    received_lines: int

    def to_json(self) -> dict[str, object]:
        return asdict(self) | {"at": self.at.isoformat()}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "KeptMail":
        return cls(**(fields | {"at": datetime.fromisoformat(fields["at"])}))


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one SMTP transaction brought."""

    mail_from: str
    recipients: tuple[str, ...]
    helo: str
    client: str
    octets: bytes


class Shelf:
    """The messages of one listener, on disk; not for use by several processes at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_folder(folder)
        found = sorted(_kept_before(folder), key=lambda mail: mail.id)
        self.count = len(found)
        self._recent = deque(found, maxlen=REMEMBERED)

    def keep(self, delivery: Delivery, now: datetime) -> list[KeptMail]:
        """Write one copy for each recipient; return when all would survive a power cut."""
        mail = _describe(delivery, now)
        kept = [replace(mail, rcpt_to=address) for address in dict.fromkeys(delivery.recipients)]
        for copy in kept:
            place = self.folder / folder_name(copy.rcpt_to)
            make_folder(place)
            replace_file(place / f"{copy.id}.eml", delivery.octets)
            # Second, because it is what makes the message count.
            replace_file(place / f"{copy.id}.json", json.dumps(copy.to_json()).encode())
        self.count += len(kept)
        self._recent.extend(kept)
        return kept

    def recent(self, limit: int) -> list[KeptMail]:
        """The newest messages, newest first."""
        return list(self._recent)[: -limit - 1 : -1]

    def octets(self, mail_id: str) -> bytes:
        """The message as it came. Raises KeyError when there is none of that id."""
        if not ID.fullmatch(mail_id):
            raise KeyError(mail_id)
        for path in self.folder.glob(f"*/{mail_id}.eml"):
            return path.read_bytes()
        raise KeyError(mail_id)


def folder_name(address: str) -> str:
    """A file name for an address that a stranger chose: no separator, no leading dot, short."""
    raw = address.lower().encode("utf-8", "surrogateescape")
    name = "".join(chr(b) if b in NAME_OCTETS else f"%{b:02x}" for b in raw)
    if name.startswith("."):
        name = f"%2e{name[1:]}"
    return name if len(name) <= 200 else f"{name[:120]}-{sha256(raw).hexdigest()}"


def _kept_before(folder: Path) -> Iterable[KeptMail]:
    for path in folder.glob("*/*.json"):
        try:
            yield KeptMail.from_json(json.loads(path.read_bytes()))
        except (ValueError, KeyError, TypeError):
            continue  # somebody put a file of his own there; the messages are beside it


def _describe(delivery: Delivery, now: datetime) -> KeptMail:
    head = delivery.octets[:HEADER_OCTETS].partition(b"\r\n\r\n")[0]
    headers = BytesHeaderParser().parsebytes(head)
    return KeptMail(
        id=f"{now:%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(6)}",
        at=now,
        mail_from=delivery.mail_from,
        rcpt_to="",
        helo=delivery.helo,
        client=delivery.client,
        size=len(delivery.octets),
        subject=_readable(headers["Subject"]),
        sender=_readable(headers["From"]),
        message_id=_readable(headers["Message-ID"]),
        received_lines=len(headers.get_all("Received", [])),
    )


def _readable(value: object) -> str:
    """A header as a person reads it (RFC 2047), on one line."""
    text = str(value or "")
    # What cannot be decoded is shown encoded, which is still better than nothing.
    with suppress(LookupError, ValueError, HeaderParseError):
        text = str(make_header(decode_header(text)))
    return " ".join(text.encode("utf-8", "replace").decode().split())[:SHOWN]
