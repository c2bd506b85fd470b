"""`ParsedMessage` as JSON, for the pipe between a parser child and its pool.

`read_message` checks what it reads: the child has handled hostile octets. It raises ValueError,
TypeError or KeyError for anything that is no message.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Final

from archive_store.mime.values import Address, Attachment, ParsedMessage

_PEOPLE: Final = frozenset(("reply_to", "to", "cc"))
_LINES: Final = frozenset(("references", "problems"))
_FLAGS: Final = frozenset(("auto_submitted", "unreadable"))
_OPTIONAL: Final = frozenset(("text", "html"))
_NAMES: Final = tuple(one.name for one in fields(ParsedMessage))


def write_message(message: ParsedMessage) -> dict[str, Any]:
    """What JSON can carry."""
    row = {name: getattr(message, name) for name in _NAMES}
    row["date"] = message.date.isoformat() if message.date else None
    row["sender"] = _write_address(message.sender) if message.sender else None
    for name in _PEOPLE:
        row[name] = [_write_address(one) for one in row[name]]
    row["attachments"] = [asdict(one) for one in message.attachments]
    return row


def read_message(row: Any) -> ParsedMessage:
    """The message in `row`."""
    return ParsedMessage(**{name: _read(name, row[name]) for name in _NAMES})


def read_attachment(row: Any) -> Attachment:
    """The attachment in `row`."""
    return Attachment(
        index=int(row["index"]),
        filename=str(row["filename"]),
        content_type=str(row["content_type"]),
        size=int(row["size"]),
        content_id=str(row["content_id"]),
        inline=row["inline"] is True,
        method=str(row["method"]),
    )


def dump(row: Any) -> bytes:
    """JSON, ASCII only, so that nothing in it can fail to be encoded."""
    return json.dumps(row, separators=(",", ":")).encode("ascii")


def _write_address(one: Address) -> list[str]:
    return [one.name, one.address]


def _read_address(row: Any) -> Address:
    name, address = row
    return Address(str(name), str(address))


def _read(name: str, value: Any) -> Any:
    if name in _PEOPLE:
        return tuple(map(_read_address, value))
    if name in _LINES:
        return tuple(map(str, value))
    if name in _FLAGS:
        return value is True
    if name in _OPTIONAL:
        return None if value is None else str(value)
    if name == "attachments":
        return tuple(map(read_attachment, value))
    if name == "headers":
        return tuple((str(header), str(content)) for header, content in value)
    if name == "sender":
        return _read_address(value) if value else None
    if name == "date":
        return datetime.fromisoformat(value) if value else None
    return str(value)
