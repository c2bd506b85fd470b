"""The mail log: what became of a mail, one sealed line per step.

Lines are sealed to the domain they concern; only its administrators' searches
open them, through the keys role. They are kept MAILLOG_DAYS, apart from the
mail's seven days, and have their own series of keys.
"""

import json
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Self

from archive_store import seal
from archive_store.directory import Owner
from archive_store.errors import SealBroken
from archive_store.models import MaillogLine
from archive_store.writerkeys import LiveKey, WriterKeys

_STEP = 256
_JSON = json.JSONEncoder(ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One step in a message's life.

    `event`: received, refused, stored, handed-on, deferred, failed, sent, expired.
    `subject` is the header's text as it came, undecoded; the reader decodes it.
    """

    event: str
    mail_from: str = ""
    recipients: tuple[str, ...] = ()
    subject: str = ""
    header_from: str = ""
    message_id: str = ""
    size: int = 0
    client: str = ""
    detail: str = ""
    more: dict[str, str] = field(default_factory=dict)

    def to_octets(self) -> bytes:
        """JSON without what is empty."""
        named = {name: value for name in _FIELDS if (value := getattr(self, name))}
        return _JSON.encode(named).encode(errors="surrogateescape")

    @classmethod
    def from_octets(cls, octets: bytes) -> Self:
        """Undo `to_octets`."""
        try:
            named: dict[str, Any] = json.loads(octets.decode(errors="surrogateescape"))
            named["recipients"] = tuple(named.get("recipients", ()))
            return cls(**named)
        except (ValueError, TypeError) as error:
            raise SealBroken("a mail log line cannot be read") from error


_FIELDS = tuple(each.name for each in fields(LogEntry))


def seal_line(
    keys: WriterKeys, key: LiveKey, message_id: bytes, at: datetime, entry: LogEntry
) -> dict[str, Any]:
    """The row of a new line under a key of the domain's log (`Owner.log`)."""
    place = key.owner.place(keys.public.installation, "maillog", key.day, message_id)
    return {
        "tenant_id": key.owner.tenant_id,
        "message_id": message_id,
        "day": key.day,
        "at": at,
        "writer_key_id": key.id,
        "sealed": seal.seal_box(key.cipher, seal.pad(entry.to_octets(), _STEP), place),
    }


def open_line(installation: bytes, line: MaillogLine, writer_key: bytes) -> LogEntry:
    """Open a line with the writer key that the keys role opened for an administrator."""
    place = Owner.log(line.tenant_id).place(installation, "maillog", line.day, line.message_id)
    return LogEntry.from_octets(seal.unpad(seal.open_box(writer_key, line.sealed, place)))
