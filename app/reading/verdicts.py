"""What the server before us found of a mail: its Authentication-Results (RFC 8601), in our words.

Only fields of the domain's own checker are read (`accounts.checking`), and only where no stranger
can have written them (section 5): the mail came from one of its networks, and the field stands
above the Received field that the checker writes itself, at the head of all. Where it writes its
results below that, the first one there counts and no other. All the rest of a header is a
stranger's word. Malformed fields say nothing. Never raises; time and output are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from app.accounts.checking import Checker
from app.markup import domains
from app.views import SenderCheck
from archive_store.mime.headers import parse_addresses
from smtp_ingest.peek import HEADER_OCTETS, header_block

MOST_FIELDS: Final = 8
MOST_RESULTS: Final = 20
LONGEST_FIELD: Final = 8 * 1024  # octets
LONGEST_VALUE: Final = 255  # characters
LONGEST_FROM: Final = 2_000  # octets
METHODS: Final = {"dmarc": "DMARC", "dkim": "DKIM", "spf": "SPF"}
# The property that says what was checked (RFC 8601 sections 2.7.1, 2.7.2; RFC 7489 section 11.1).
_ABOUT: Final = {
    "dmarc": ("header.from",),
    "dkim": ("header.d", "header.i"),
    "spf": ("smtp.mailfrom", "smtp.helo"),
}

_FIELD: Final = re.compile(
    rb"^(received|authentication-results)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_FROM: Final = re.compile(rb"^from[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE)
_FOLD: Final = re.compile(r"\r?\n(?=[ \t])")
_ASIDE: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|=\?[^?\s]*+\?[bq]\?[^?\s]*+\?=', re.I | re.DOTALL)
_ADDRESS: Final = re.compile(r"[^\s<>(),;:@\"]++@[^\s<>(),;:@\"]++")
_PIECE: Final = re.compile(r'\\.|["();\\]|[^"();\\]+', re.DOTALL)
_RESULT: Final = re.compile(
    r"\s*([a-z][a-z0-9-]{0,40})(?:\s*/\s*\d{1,4})?\s*=\s*([a-z]{1,20})(?!\S)"
)
_PROPERTY: Final = re.compile(
    r'\s+([a-z0-9._-]{1,80})\s*=\s*(?:"((?:[^"\\]|\\.){0,2000}+)"|([^\s"]{1,2000}+))(?!\S)'
)


class Result(NamedTuple):
    """One method's result; `about`: the domain that it speaks of, or empty."""

    method: str
    result: str
    about: str


def check_of(
    octets: bytes, client_ip: str, checker: Checker | None, sender: str
) -> SenderCheck | None:
    """What is known of a mail from the address `sender`; None when nobody checked it."""
    if checker is None or not checker.hands(client_ip):
        return None
    results = tuple(results_of(octets, checker))
    if not results:
        return None
    dmarc = next((one for one in results if one.method == "dmarc"), None)
    domain = domains.host_of(sender.rpartition("@")[2])
    is_own = dmarc is not None and bool(domain) and _are_one(dmarc.about, domain)
    return SenderCheck(
        by=checker.name,
        domain=domain,
        passed=dmarc is not None and dmarc.result == "pass" and is_own and _names_one(octets),
        failed=dmarc is not None and dmarc.result == "fail" and bool(domain),
        results=tuple((METHODS[one.method], one.result, one.about) for one in results),
    )


def results_of(octets: bytes, checker: Checker) -> Iterator[Result]:
    """The checker's own results, the topmost field first."""
    found = 0
    for field in _trusted(octets, checker):
        for result in read_field(field, checker.name):
            found += 1
            if found > MOST_RESULTS:
                return
            yield result


def read_field(value: str, name: str) -> list[Result]:
    """The results of one field, if it is of the server `name` and well formed; else none."""
    statements = _statements(value.lower())
    if statements is None or statements[0].split()[:1] != [name]:
        return []
    version = statements[0].split()[1:]
    if version not in ([], ["1"]):
        return []
    return [one for one in map(_result, statements[1:]) if one is not None]


def _trusted(octets: bytes, checker: Checker) -> list[str]:
    """The fields that stand where the checker alone writes."""
    received = 0
    above: list[str] = []
    below: list[str] = []
    for match in _FIELD.finditer(header_block(octets, HEADER_OCTETS)):
        if match[1].lower() == b"received":
            received += 1
            if received > checker.hops:
                break
        elif len(match[2]) <= LONGEST_FIELD:
            text = match[2].decode("utf-8", "replace")
            if _names(text, checker.name):
                (above if received < checker.hops else below).append(text)
    if not received:
        return []  # a server that hands mail on writes one, so this is no such mail
    return above[:MOST_FIELDS] or (below[:1] if checker.below else [])


def _names(value: str, name: str) -> bool:
    statements = _statements(value.lower())
    return statements is not None and statements[0].split()[:1] == [name]


def _statements(value: str) -> list[str] | None:
    """The parts between semicolons, without comments; None when a quote or comment stays open."""
    parts, depth, is_quoted = [""], 0, False
    for piece in _PIECE.findall(value):
        if depth:
            depth += {"(": 1, ")": -1}.get(piece, 0)
        elif is_quoted:
            is_quoted = piece != '"'
            parts[-1] += piece
        elif piece == "(":
            depth = 1
            parts[-1] += " "  # a comment is a blank
        elif piece == ";":
            parts.append("")
        else:
            is_quoted = piece == '"'
            parts[-1] += piece
    return None if depth or is_quoted else parts


def _result(statement: str) -> Result | None:
    head = _RESULT.match(statement)
    if head is None or head[1] not in METHODS:
        return None
    properties: dict[str, str] = {}
    at = head.end()
    while found := _PROPERTY.match(statement, at):
        properties.setdefault(found[1], (found[2] or found[3] or "").rpartition("@")[2])
        at = found.end()
    if statement[at:].strip():
        return None
    about = next((properties[one] for one in _ABOUT[head[1]] if one in properties), "")
    return Result(head[1], head[2], domains.host_of(about[:LONGEST_VALUE]) if about else "")


def _names_one(octets: bytes) -> bool:
    """Whether From can only be read as one address. Of several the checker may have looked at
    another one than we show (RFC 7489 section 6.6.1).
    """
    fields = _FROM.findall(header_block(octets, HEADER_OCTETS))
    if len(fields) != 1 or len(fields[0]) > LONGEST_FROM:
        return False
    text = fields[0].decode("utf-8", "replace")
    people = {one.address for one in parse_addresses(_FOLD.sub("", text), 2)}
    people.update(_ADDRESS.findall(_ASIDE.sub(" ", text)))
    return len({one.casefold() for one in people}) == 1


def _are_one(checked: str, domain: str) -> bool:
    return bool(checked) and domains.registrable(checked) == domains.registrable(domain)
