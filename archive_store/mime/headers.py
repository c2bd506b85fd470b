"""The values of header fields: addresses, dates, message identifiers (RFC 5322 section 3.6).

Every function takes any text, is linear in it, and never raises. Addresses are read as people's
mailers write them, not as the grammar wants them; they are for showing, and whoever sends to one
parses it strictly first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from typing import Final

from archive_store.mime import clean
from archive_store.mime.encoded import decode_words
from archive_store.mime.values import Address

_QUOTED: Final = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_ATOMS: Final = re.compile(r"[^\",;:<>()]+")
_PAREN: Final = re.compile(r"\\.|[()]", re.DOTALL)
_ANGLE: Final = re.compile(r"<([^<>]*+)>?")
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{1,996}>")
_LONGEST_ADDRESS: Final = 1_000
_LONGEST_DATE: Final = 200


def parse_addresses(text: str, limit: int) -> tuple[Address, ...]:
    """The addresses of a To, Cc, From or Reply-To value that is not decoded yet."""
    reader = _AddressReader(limit)
    return reader.read(text)


@dataclass(slots=True)
class _AddressReader:
    """One pass over an address list; a group's name is dropped, its members are taken."""

    limit: int
    found: list[Address] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    comment: str = ""
    angle: str = ""
    carried: str = ""  # "Doe" of an unquoted `Doe, Jane <jane@x>`
    quotes_close: bool = True
    has_at: bool = False  # kept, since asking all words at each colon would be quadratic

    def read(self, text: str) -> tuple[Address, ...]:
        position = 0
        while position < len(text) and len(self.found) < self.limit:
            position = self._token(text, position)
        if len(self.found) < self.limit:
            self._flush(last=True)
        return tuple(self.found)

    def _token(self, text: str, position: int) -> int:
        character = text[position]
        if character == '"' and self.quotes_close:
            quoted = _QUOTED.match(text, position)
            if quoted is not None:
                self._word(_ESCAPED.sub(r"\1", quoted.group(1)))
                return quoted.end()
            self.quotes_close = False  # looked to the end once; never again
        elif character == "<":
            angle = _ANGLE.match(text, position)
            if angle is not None:
                self.angle = self.angle if "@" in self.angle else angle.group(1)
                return angle.end()
        elif character == "(":
            return self._comment(text, position)
        elif character in ",;":
            self._flush(last=character == ";")
        elif character == ":":
            self._colon()
        else:
            atoms = _ATOMS.match(text, position)
            if atoms is not None:
                self._word(atoms.group())
                return atoms.end()
        return position + 1

    def _comment(self, text: str, position: int) -> int:
        depth = 0
        for match in _PAREN.finditer(text, position):
            depth += {"(": 1, ")": -1}.get(match.group(), 0)
            if depth == 0:
                self.comment = self.comment or text[position + 1 : match.start()]
                return match.end()
        self._word(text[position + 1 :])
        return len(text)

    def _word(self, word: str) -> None:
        self.words.append(word)
        self.has_at = self.has_at or "@" in word

    def _colon(self) -> None:
        if self.angle or self.has_at:
            self.words.append(":")
        else:
            self.words.clear()
            self.carried = ""

    def _flush(self, *, last: bool) -> None:
        written = " ".join(" ".join(self.words).split())
        address = _address(self.angle)
        if not self.angle and "@" in written:
            address, written = _bare(written)
        spoken = clean.name(decode_words(written or self.comment))
        if address or self.angle:
            self.found.append(Address(self._with_carried(spoken), address))
            self.carried = ""
        elif spoken:
            self.carried = self._with_carried(spoken)
        if last and self.carried:
            self.found.append(Address(self.carried, ""))
            self.carried = ""
        self.words.clear()
        self.comment = self.angle = ""
        self.has_at = False

    def _with_carried(self, spoken: str) -> str:
        # Bounded: a list of ten thousand words without an address is not one name.
        return f"{self.carried}, {spoken}"[:500] if self.carried and spoken else spoken


def _bare(written: str) -> tuple[str, str]:
    """`jane@x.example` without angle brackets, and what else stood there."""
    words = written.split(" ")
    at = next(index for index, word in enumerate(words) if "@" in word)
    if words[at].startswith("@") or words[at].endswith("@"):
        return _address("".join(words)), ""  # blanks around the @: RFC 5322 section 4.4
    return _address(words[at]), " ".join(words[:at] + words[at + 1 :])


def _address(written: str) -> str:
    if written.lstrip().startswith("@"):  # a source route (RFC 5322 section 4.4)
        written = written.rpartition(":")[2]
    if len(written) > _LONGEST_ADDRESS:
        written = written[:_LONGEST_ADDRESS]
    return "".join(clean.name(written).split())


def message_ids(text: str, limit: int) -> tuple[str, ...]:
    """The last `limit` identifiers of a References value: the nearest ancestors."""
    found = [match.group() for match in _MESSAGE_ID.finditer(text)]
    return tuple(clean.name(one) for one in found[-limit:])


def message_id(text: str) -> str:
    """The first identifier; bare ones, which some mailers write, get their brackets."""
    found = _MESSAGE_ID.search(text)
    if found is not None:
        return clean.name(found.group())
    bare = clean.name(text).strip("<> ")
    return f"<{bare}>" if bare and " " not in bare and len(bare) <= 996 else ""


def parse_date(text: str) -> datetime | None:
    """A Date value as UTC; None when it is none, or outside of what a calendar holds."""
    try:
        parts = parsedate_tz(text[:_LONGEST_DATE])
        if parts is None:
            return None
        zone = timezone(timedelta(seconds=parts[9] or 0))
        return datetime(*parts[:6], tzinfo=zone).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None


def list_id(text: str) -> str:
    """The identifier in a List-Id value (RFC 2919)."""
    angle = re.search(r"<([^<>]{1,255})>", text)
    return clean.name(angle.group(1) if angle else text[:255])


def is_automatic(auto_submitted: str) -> bool:
    """Whether an Auto-Submitted value says that no person wrote this (RFC 3834 section 5)."""
    word = auto_submitted.partition(";")[0].partition("(")[0].strip().lower()
    return word not in ("", "no")
