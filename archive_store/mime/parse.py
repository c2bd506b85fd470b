"""RFC 5322 octets to a `ParsedMessage`: the door of this package.

`parse_message` never raises, whatever the octets are. `attachment_octets` finds what
`ParsedMessage.attachments` names, by its index, in the same octets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from urllib.parse import unquote

from archive_store.mime import clean, headers
from archive_store.mime.body import Body, BodyText, choose
from archive_store.mime.encoded import decode_raw, decode_words
from archive_store.mime.filenames import safe_name
from archive_store.mime.limits import DEFAULT, POOR_TEXT, Limits
from archive_store.mime.structure import Fields, Part, Tree, read_tree
from archive_store.mime.transfer import decode_body, decoded_size
from archive_store.mime.values import UNREADABLE, Address, Attachment, ParsedMessage, Problem
from archive_store.mime.winmail import open_winmail

_CID: Final = re.compile(r"cid:([^\"'\s<>)]{1,998})", re.IGNORECASE)
_METHOD: Final = re.compile(r"[a-z-]{1,20}")
RASTER: Final = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp", "image/jpg"))
MOST_INLINE_OCTETS: Final = 10 * 1024 * 1024


def parse_message(octets: bytes, limits: Limits = DEFAULT) -> ParsedMessage:
    """Whatever can be read of `octets`; `problems` says what could not."""
    try:
        return read_message(octets, limits)
    except Exception:
        # The promise to whoever lists mail: one hostile message never hides the others. The
        # tests hold `read_message` to raise nothing, so this catches only what nobody foresaw.
        return UNREADABLE


def read_message(octets: bytes, limits: Limits = DEFAULT) -> ParsedMessage:
    """`parse_message` without its net."""
    octets, tree = _read(octets, limits)
    problems = tree.problems
    body = choose(tree.root)
    reader = BodyText(octets, limits, problems)
    text, html = reader.text(body), reader.html(body)
    values = _Header(tree.root.fields, limits, problems)
    return replace(
        _outline(values),
        reply_to=values.addresses("reply-to"),
        text=text,
        html=html,
        attachments=tuple(_attachments(octets, body, html)),
        headers=values.shown(),
        problems=tuple(dict.fromkeys(problem.value for problem in problems)),
        auto_submitted=headers.is_automatic(values.raw("auto-submitted")),
        list_id=headers.list_id(values.raw("list-id")),
        list_unsubscribe=clean.line(values.raw("list-unsubscribe"))[:2_000],
    )


def parse_for_list(octets: bytes, limits: Limits = DEFAULT) -> ParsedMessage:
    """`parse_message` as far as `summary` asks for it: every mail that comes in is read so."""
    try:
        return read_for_list(octets, limits)
    except Exception:
        return UNREADABLE  # as in `parse_message`


def read_for_list(octets: bytes, limits: Limits = DEFAULT) -> ParsedMessage:
    """`parse_for_list` without its net.

    An HTML version is read only where it is needed, attachments have no size, and what no list
    and no search looks at (other header fields, problems) is left out.
    """
    octets, tree = _read(octets, limits)
    body = choose(tree.root)
    reader = BodyText(octets, limits, tree.problems)
    text, html = reader.text(body), None
    if len(text or "") < POOR_TEXT or any(part.content_id for part in body.attached):
        html = reader.html(body)
    referred = _referred(html)
    attachments = [
        Attachment(
            index=index,
            filename=safe_name(part.filename, part.content_type, index),
            content_type=part.content_type,
            size=0,
            inline=part.content_id in referred,
        )
        for index, part in enumerate(_ordered(body))
    ]
    values = _Header(tree.root.fields, limits, tree.problems)
    return replace(_outline(values), text=text, html=html, attachments=tuple(attachments))


def _outline(values: _Header) -> ParsedMessage:
    """What a list shows of the header."""
    senders = values.addresses("from")
    return ParsedMessage(
        subject=values.line("subject"),
        sender=senders[0] if senders else None,
        to=values.addresses("to"),
        cc=values.addresses("cc"),
        date=headers.parse_date(values.raw("date")),
        message_id=headers.message_id(values.raw("message-id")),
        in_reply_to=headers.message_id(values.raw("in-reply-to")),
        references=values.references(),
    )


def attachment_octets(
    octets: bytes, index: int, limits: Limits = DEFAULT
) -> tuple[Attachment, bytes]:
    """Attachment `index` and its content. Raises IndexError when there is no such one."""
    octets, tree = _read(octets, limits)
    body = choose(tree.root)
    if index < 0:
        raise IndexError(index)
    part = _ordered(body)[index]
    referred = _referred(BodyText(octets, limits, []).html(body))
    return _attachment(octets, part, index, referred), _content(octets, part)


def inline_images(octets: bytes, limits: Limits = DEFAULT) -> dict[str, bytes]:
    """The raster pictures that the HTML body shows by Content-ID, up to 10 MiB of them."""
    octets, tree = _read(octets, limits)
    body = choose(tree.root)
    referred = _referred(BodyText(octets, limits, []).html(body))
    found: dict[str, bytes] = {}
    room = MOST_INLINE_OCTETS
    for part in _ordered(body):
        if part.content_id in referred and part.content_id not in found:
            content = _content(octets, part)
            if _names_raster(part) and len(content) <= room:
                room -= len(content)
                found[part.content_id] = content
    return found


def _names_raster(part: Part) -> bool:
    # Some mailers send pictures as application/octet-stream; whoever shows them looks at the
    # octets themselves.
    return part.content_type in RASTER or part.content_type == "application/octet-stream"


def _read(octets: bytes, limits: Limits) -> tuple[bytes, Tree]:
    """The structure, and the octets that its ranges are of: those of a winmail.dat's parts come
    after the message itself.
    """
    octets = _with_newlines(octets)
    tree = read_tree(octets, limits)
    return open_winmail(octets, tree.root), tree


def _with_newlines(octets: bytes) -> bytes:
    """Lines of a message that has only bare CR end like all others (before the year 2001)."""
    if b"\n" not in octets and b"\r" in octets:
        return octets.replace(b"\r", b"\n")
    return octets


class _Header:
    """The fields of the message by name: raw text for parsing, decoded for showing."""

    def __init__(self, fields: Fields, limits: Limits, problems: list[Problem]) -> None:
        self._limits = limits
        self._problems = problems
        self._fields = fields
        self._named: dict[bytes, list[bytes]] = {}
        for name, value in fields:
            self._named.setdefault(name.lower(), []).append(value)
        if len(self._named.get(b"from", ())) > 1:
            problems.append(Problem.SEVERAL_SENDERS)

    def raw(self, name: str) -> str:
        """The first field of that name, unfolded, not decoded."""
        found = self._named.get(name.encode("ascii"))
        return decode_raw(found[0]) if found else ""

    def references(self) -> tuple[str, ...]:
        return headers.message_ids(self.raw("references"), self._limits.references)

    def line(self, name: str) -> str:
        return clean.line(decode_words(self.raw(name)))

    def addresses(self, name: str) -> tuple[Address, ...]:
        limit = self._limits.addresses
        found = headers.parse_addresses(self.raw(name), limit)
        # To and Cc are written once (RFC 5322 section 3.6), but where they come twice all count.
        again = self._named.get(name.encode("ascii"), [])[1:] if name in ("to", "cc") else ()
        for value in again:
            found += headers.parse_addresses(decode_raw(value), limit - len(found))
            if len(found) >= limit:
                break
        if len(found) >= limit:
            self._problems.append(Problem.TOO_MANY_ADDRESSES)
        return found

    def shown(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (name.decode("ascii", "replace"), clean.line(decode_words(decode_raw(value))))
            for name, value in self._fields
        )


def _ordered(body: Body) -> list[Part]:
    return sorted(body.attached, key=lambda part: part.start)


def _attachments(octets: bytes, body: Body, html: str | None) -> Iterable[Attachment]:
    referred = _referred(html)
    for index, part in enumerate(_ordered(body)):
        yield _attachment(octets, part, index, referred)


def _referred(html: str | None) -> frozenset[str]:
    if not html:
        return frozenset()
    return frozenset(unquote(match.group(1)) for match in _CID.finditer(html))


def _attachment(octets: bytes, part: Part, index: int, referred: frozenset[str]) -> Attachment:
    method = part.params.get("method", "").lower() if part.content_type == "text/calendar" else ""
    return Attachment(
        index=index,
        filename=safe_name(part.filename, part.content_type, index),
        content_type=part.content_type,
        size=decoded_size(octets, part.start, part.end, part.encoding),
        content_id=clean.name(part.content_id),
        inline=part.content_id != "" and part.content_id in referred,
        method=method.upper() if _METHOD.fullmatch(method) else "",
    )


def _content(octets: bytes, part: Part) -> bytes:
    return decode_body(octets[part.start : part.end], part.encoding)
