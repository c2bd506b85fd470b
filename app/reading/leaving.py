"""How a mailing list can be left: List-Unsubscribe (RFC 2369) and its one press (RFC 8058).

The press is offered where the domain's own checker says that a DKIM signature of the list is good
and every signature of that domain names both fields (RFC 8058 section 4): else anybody could put
an address in that we are to ask. `Checker` is whose word is taken; without one nothing is pressed,
and a list that names an address can still be written to. Malformed fields offer nothing. No I/O.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from app.leaving_views import Leaving
from app.markup import domains
from app.pictures.web_address import BadAddress, WebAddress
from app.views import SenderCheck
from archive_store.mime import clean
from smtp_ingest.peek import HEADER_OCTETS, header_block

ONE_CLICK: Final = "List-Unsubscribe=One-Click"
OFFER, POST, SIGNATURE = "list-unsubscribe", "list-unsubscribe-post", "dkim-signature"
MOST_FIELDS: Final = 20
LONGEST_SUBJECT: Final = 300  # characters
LONGEST_TEXT: Final = 2_000
_FIELD: Final = re.compile(
    rb"^(list-unsubscribe|list-unsubscribe-post|dkim-signature)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_BLANKS: Final = re.compile(r"\s+")
_PLACE: Final = re.compile(r"<([^<>]{1,4000})>")
_ADDRESS: Final = re.compile(r"[^\s@,;:<>()\"\\]{1,250}@[^\s@,;:<>()\"\\]{1,250}")


def leaving_of(octets: bytes, check: SenderCheck | None) -> Leaving | None:
    """What a mail offers; `check`: what the domain's checker found of it."""
    fields = _fields(octets)
    if len(fields[OFFER]) != 1:
        return None
    places = _PLACE.findall(_BLANKS.sub("", fields[OFFER][0]))
    presses = [_BLANKS.sub("", one).lower() for one in fields[POST]] == [ONE_CLICK.lower()]
    url = ""
    if presses and _is_signed(fields[SIGNATURE], check):
        url = next((one for one in places if _is_secure(one)), "")
    letter = next((one for one in map(_letter, places) if one), None)
    if not url and letter is None:
        return None
    mail, subject, text = letter or ("", "", "")
    return Leaving(url=url, mail=mail, subject=subject, text=text)


def _fields(octets: bytes) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for match in _FIELD.finditer(header_block(octets, HEADER_OCTETS)):
        values = found[match[1].decode().lower()]
        if len(values) < MOST_FIELDS:
            values.append(match[2].decode("utf-8", "replace"))
    return found


def _is_signed(signatures: list[str], check: SenderCheck | None) -> bool:
    """Whether a good signature covers both fields. Of a domain that has several, which of them is
    good is not known: so all have to.
    """
    results = check.results if check else ()
    good = {about for method, result, about in results if (method, result) == ("DKIM", "pass")}
    if len(signatures) >= MOST_FIELDS:
        return False
    named: defaultdict[str, list[bool]] = defaultdict(list)
    for signature in signatures:
        pairs = (part.partition("=") for part in _BLANKS.sub("", signature).split(";"))
        tags = {name: value for name, _, value in pairs}
        names = tags.get("h", "").lower().split(":")
        named[domains.host_of(tags.get("d", ""))].append(OFFER in names and POST in names)
    return any(domain in named and all(named[domain]) for domain in good if domain)


def _is_secure(place: str) -> bool:
    try:
        return WebAddress.parse(place).secure
    except BadAddress:
        return False


def _letter(place: str) -> tuple[str, str, str] | None:
    """Address, subject and text of a mailto: URL (RFC 6068); None for anything else."""
    try:
        parts = urlsplit(place)
        fields = {name.lower(): value for name, value in parse_qsl(parts.query, max_num_fields=20)}
    except ValueError:
        return None
    address = unquote(parts.path)
    if parts.scheme.lower() != "mailto" or not _ADDRESS.fullmatch(address):
        return None
    subject = clean.line(fields.get("subject", ""))[:LONGEST_SUBJECT]
    return address, subject, clean.block(fields.get("body", ""))[:LONGEST_TEXT]
