"""The envelope (MAIL FROM, RCPT TO; never headers) as it is kept with an entry or queue item.

Each entry's envelope names its own recipient only: a Bcc is visible to nobody
else. Sealed under a key derived from the message's content key and the entry's
id, padded, so that its size says little.
"""

import json
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive_store import seal
from archive_store.errors import SealBroken

_STEP = 128
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class DsnWishes(NamedTuple):
    """What the sender wants to hear about a delivery (RFC 3461), as the next server is told it."""

    notify: str = ""  # NEVER, or of SUCCESS, FAILURE and DELAY, with commas; empty: not said
    original: str = ""  # ORCPT: an address type, a semicolon, the address in xtext
    ret: str = ""  # FULL or HDRS: what of the mail a report of failure returns
    envelope_id: str = ""  # ENVID, in xtext

    @property
    def of_success(self) -> bool:
        """A report of success is wanted."""
        return "SUCCESS" in self.notify.split(",")

    @property
    def of_failure(self) -> bool:
        """A report of failure is wanted: also by whoever said nothing (section 4.1)."""
        return not self.notify or "FAILURE" in self.notify.split(",")

    @property
    def of_delay(self) -> bool:
        """A report of a delay is wanted. Whoever said nothing may be told, and is not."""
        return "DELAY" in self.notify.split(",")


NO_WISHES = DsnWishes()


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sent, to which one address of ours, and from where. Empty mail_from: a bounce."""

    mail_from: str
    rcpt_to: str
    helo: str = ""
    client_ip: str = ""
    protocol: str = ""
    smtputf8: bool = False
    body8bit: bool = False
    dsn: DsnWishes | None = None  # None: nothing was said, which is the rule

    def seal(self, content_key: bytes, place: bytes) -> bytes:
        """Seal for the entry or queue item that `place` names."""
        # Not dataclasses.asdict: its deep copy costs more than all the rest of this.
        named = {name: getattr(self, name) for name in _FIELDS}
        if self.dsn is not None:
            named["dsn"] = {name: text for name, text in self.dsn._asdict().items() if text}
        plain = _JSON.encode(named).encode(errors="surrogateescape")
        cipher = AESGCM(seal.derive(content_key, "envelope"))
        return seal.seal_box(cipher, seal.pad(plain, _STEP), place)

    @classmethod
    def open(cls, content_key: bytes, sealed: bytes, place: bytes) -> Self:
        """Undo `seal`."""
        padded = seal.open_box(seal.derive(content_key, "envelope"), sealed, place)
        try:
            fields: dict[str, Any] = json.loads(seal.unpad(padded).decode(errors="surrogateescape"))
            said = fields.pop("dsn", None)
            return cls(**fields, dsn=None if said is None else DsnWishes(**said))
        except (ValueError, TypeError) as error:
            raise SealBroken("an envelope cannot be read") from error


_FIELDS = tuple(field.name for field in fields(Envelope) if field.name != "dsn")
