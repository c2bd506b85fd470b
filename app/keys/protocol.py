"""What is said on the keys role's sockets: one JSON object a line each way.

Octets travel as base64 text. An answer is {"ok": ...} or {"error": name,
"text": ...}; `name` is the class of a StoreError, whose texts carry no secrets.
"""

import base64
import json
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, TypeAlias

from archive_store import errors

LARGEST_LINE = 8 * 1024 * 1024
SOCKETS = ("web", "index", "deliver", "sweep", "admin")

Place: TypeAlias = tuple[bytes, date]
"""A mailbox's day."""


class Purpose(StrEnum):
    """Why a session asks for content keys; all but RENDER are audited each time."""

    OPEN = "open"
    RENDER = "render"  # again, within minutes of an audited OPEN of the same session
    DOWNLOAD = "download"
    ATTACHMENT = "attachment"


def text(octets: bytes) -> str:
    """Octets as JSON carries them."""
    return base64.b64encode(octets).decode()


def octets(value: str) -> bytes:
    """Undo `text`."""
    return base64.b64decode(value, validate=True)


def encode(message: Mapping[str, Any]) -> bytes:
    """One line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def error_of(answer: Mapping[str, Any]) -> Exception:
    """The exception that an error answer stands for."""
    found = getattr(errors, str(answer["error"]), None)
    if isinstance(found, type) and issubclass(found, errors.StoreError):
        return found(str(answer.get("text", "")))
    return errors.KeysUnavailable("the keys role could not answer")


def socket_name(role: str) -> str:
    """The file name of a role's socket in the run folder."""
    return f"keys-{role}.sock"
