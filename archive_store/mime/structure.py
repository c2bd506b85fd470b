"""The tree of parts of a message as ranges of its octets (RFC 5322 section 2.2, RFC 2046).

One pass per level of nesting, no copy of a body, bounded in depth, parts and header fields.
A broken message still has a structure: header fields end at the first line that is none; a part
ends where its multipart does; a multipart without a usable boundary is text; below the greatest
depth a part is one opaque leaf. `message/rfc822` is a leaf as well: an attachment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from archive_store.mime.encoded import decode_raw
from archive_store.mime.limits import Limits
from archive_store.mime.params import split_value
from archive_store.mime.values import Problem

_FIELD: Final = re.compile(rb"([!-9;-~]++)[ \t]*+:([^\n]*+(?:\n[ \t][^\n]*+)*+)(?:\n|\Z)")
_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_ENVELOPE_LINE: Final = re.compile(rb">?From [^\n]*\n")
_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,126}/[a-z0-9!#$&^_.+-]{1,126}")
_GUESSED_BOUNDARY: Final = re.compile(rb"^--([^\s-][^\r\n]{0,199}?)[ \t]*\r?$", re.MULTILINE)
_DELIMITER_END: Final = re.compile(rb"(--)?[ \t]*(?:\r?\n|\r?\Z)")
_LONGEST_BOUNDARY: Final = 998
_MOST_MISSES: Final = 100_000

Fields = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Part:
    """A leaf or a multipart: where its body is, and what its header says of it."""

    start: int
    end: int
    depth: int = 0
    fields: Fields = field(default_factory=list)
    content_type: str = "text/plain"
    params: dict[str, str] = field(default_factory=dict)
    disposition: str = ""
    disposition_params: dict[str, str] = field(default_factory=dict)
    encoding: str = ""
    content_id: str = ""
    children: list[Part] = field(default_factory=list)

    @property
    def filename(self) -> str:
        """The file name as written; empty when there is none."""
        return self.disposition_params.get("filename") or self.params.get("name", "")


@dataclass(slots=True)
class Tree:
    """The whole message."""

    root: Part
    problems: list[Problem]


def read_tree(octets: bytes, limits: Limits) -> Tree:
    """The structure of `octets`. Never raises."""
    problems: list[Problem] = []
    root = Part(0, len(octets))
    _read_head(octets, root, limits, problems, "text/plain")
    if not root.fields and octets.strip():
        problems.append(Problem.NO_HEADERS)
    count = 1
    found = [root]
    for part in found:  # grows while it is walked: breadth first
        if not part.content_type.startswith("multipart/"):
            continue
        if part.depth >= limits.depth:
            part.content_type = "application/octet-stream"
            problems.append(Problem.TOO_DEEP)
            continue
        count = _split(octets, part, count, limits, problems)
        found.extend(part.children)
    return Tree(root, list(dict.fromkeys(problems)))


def _read_head(
    octets: bytes, part: Part, limits: Limits, problems: list[Problem], default_type: str
) -> None:
    """Read the header fields at the start of `part`, and move its start to its body."""
    position = part.start
    envelope = _ENVELOPE_LINE.match(octets, position, part.end)
    if envelope is not None:  # from an mbox file
        position = envelope.end()
    most_octets = position + limits.header_octets
    while position < part.end:
        match = _FIELD.match(octets, position, part.end)
        if match is None:
            break
        if len(part.fields) >= limits.headers or match.end() > most_octets:
            problems.append(Problem.TOO_MANY_HEADERS)
            blank = _BLANK_LINE.search(octets, position, part.end)
            position = blank.start() + 1 if blank else part.end
            break
        part.fields.append((match.group(1), match.group(2)))
        position = match.end()
    if octets.startswith(b"\r\n", position):
        position += 2
    elif octets.startswith(b"\n", position):
        position += 1
    part.start = min(position, part.end)
    _describe(part, limits, default_type)


def _describe(part: Part, limits: Limits, default_type: str) -> None:
    part.content_type = default_type
    seen: set[bytes] = set()
    for raw_name, raw_value in part.fields:
        if len(raw_name) > 25 or raw_name[:1] not in b"cC":
            continue
        name = raw_name.lower()
        if not name.startswith(b"content-") or name in seen:
            continue
        seen.add(name)  # the first counts
        value = decode_raw(raw_value)
        if name == b"content-type":
            written, part.params = split_value(value, limits.parameters)
            if _TYPE.fullmatch(written):
                part.content_type = written
            elif written.startswith("text"):  # "text", as very old mailers wrote
                part.content_type = "text/plain"
        elif name == b"content-disposition":
            part.disposition, part.disposition_params = split_value(value, limits.parameters)
        elif name == b"content-transfer-encoding":
            part.encoding = value.partition("(")[0].strip(" \t;").lower()
        elif name == b"content-id":
            part.content_id = value.strip("<> \t")[:998]


def _split(octets: bytes, part: Part, count: int, limits: Limits, problems: list[Problem]) -> int:
    """Give the multipart `part` its children; the new count of parts."""
    boundary = _boundary(octets, part)
    if not boundary:
        part.content_type = "text/plain"
        problems.append(Problem.NO_BOUNDARY)
        return count
    inner = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
    for start, end in _ranges(octets, part, boundary):
        if count >= limits.parts:
            problems.append(Problem.TOO_MANY_PARTS)
            break
        child = Part(start, end, part.depth + 1)
        _read_head(octets, child, limits, problems, inner)
        part.children.append(child)
        count += 1
    if not part.children:
        part.content_type = "text/plain"
        problems.append(Problem.NO_BOUNDARY)
    return count


def _boundary(octets: bytes, part: Part) -> bytes:
    """The boundary as declared, or as the first line of the body shows it."""
    declared = part.params.get("boundary", "").rstrip()[:_LONGEST_BOUNDARY]
    if declared:
        return declared.encode("utf-8", "replace")
    guessed = _GUESSED_BOUNDARY.search(octets, part.start, part.end)
    return guessed.group(1) if guessed else b""


def _ranges(octets: bytes, part: Part, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Where the parts between the delimiters of `boundary` are (RFC 2046 section 5.1.1)."""
    delimiter = b"\n--" + boundary
    begin = -1  # of the part that is open
    misses = 0  # lines that only begin like a delimiter
    position = octets.find(delimiter, part.start - 1, part.end)  # a line ends before each body
    while position >= 0:
        tail = _DELIMITER_END.match(octets, position + len(delimiter), part.end)
        if tail is None:
            misses += 1
            if misses > _MOST_MISSES:
                break
            position = octets.find(delimiter, position + 1, part.end)
            continue
        if begin >= 0:
            yield begin, max(begin, _before_carriage_return(octets, position))
        begin = -1 if tail.group(1) else tail.end()
        if begin < 0:
            return
        # The line end of a delimiter may be the one before the next.
        position = octets.find(delimiter, tail.end() - 1, part.end)
    if begin >= 0:
        yield begin, part.end  # nobody closed it


def _before_carriage_return(octets: bytes, position: int) -> int:
    """The line end before a delimiter, CRLF or LF at `position`, belongs to the delimiter."""
    return position - 1 if position and octets[position - 1] == 0x0D else position
