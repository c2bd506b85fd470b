"""A winmail.dat becomes the parts that are in it, as if they had been sent as such.

Outlook sends one to whom it takes for another Outlook: the files of a mail are in it, and its text
once more. They are put into the tree of the message in its place; their octets come after those of
the message, so that every part is a range of one string as ever. One that cannot be read, or holds
nothing that is not in the message anyhow, stays the file that it is.
"""

from __future__ import annotations

import re
from typing import Final

from archive_store.mime.body import HTML, choose, leaves
from archive_store.mime.structure import Part
from archive_store.mime.tnef import File, Opened, open_tnef
from archive_store.mime.transfer import decode_body

TYPES: Final = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
NAME: Final = "winmail.dat"
MOST: Final = 5  # of one message
_TYPE: Final = re.compile(r"(?!multipart/|message/)[a-z0-9.+-]{1,60}/[a-z0-9.+_-]{1,90}")
# Of files whose type Outlook does not write, by the end of their names: those that pages show.
_BY_NAME: Final = {
    "pdf": "application/pdf",
    "png": "image/png",
    "gif": "image/gif",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "ics": "text/calendar",
}


def open_winmail(octets: bytes, root: Part) -> bytes:
    """Open what there is in the tree of `root`; the octets that its ranges are of from now on."""
    found = [part for part in leaves(root) if _is_winmail(part)][:MOST]
    for part in found:
        opened = _opened(decode_body(octets[part.start : part.end], part.encoding))
        if opened is None:
            continue
        contents, parts = _parts(opened, part.depth + 1, with_text=not _has_text(octets, root))
        if parts:
            octets = _put(octets, part, contents, parts)
    return octets


def _opened(octets: bytes) -> Opened | None:
    try:
        return open_tnef(octets)
    except Exception:
        # NotTnef, and whatever nobody foresaw: it stays a file, and costs nobody the message.
        return None


def _is_winmail(part: Part) -> bool:
    return part.content_type in TYPES or part.filename.lower() == NAME


def _has_text(octets: bytes, root: Part) -> bool:
    return any(octets[part.start : part.end].strip() for part in choose(root).text)


def _parts(opened: Opened, depth: int, *, with_text: bool) -> tuple[list[bytes], list[Part]]:
    contents: list[bytes] = []
    parts: list[Part] = []
    if with_text and opened.html:
        contents.append(opened.html)
        parts.append(Part(0, 0, depth, content_type=HTML))
    elif with_text and opened.text.strip():
        contents.append(opened.text)
        parts.append(Part(0, 0, depth, params={"charset": "utf-8"}))
    for file in opened.files:
        contents.append(file.content)
        parts.append(_file(file, depth))
    return contents, parts


def _file(file: File, depth: int) -> Part:
    claimed = file.content_type.lower()
    ending = file.name.rpartition(".")[2].lower()
    by_name = _BY_NAME.get(ending, "application/octet-stream")
    return Part(
        0,
        0,
        depth,
        content_type=claimed if _TYPE.fullmatch(claimed) else by_name,
        disposition="attachment",
        disposition_params={"filename": file.name},
        content_id=file.content_id[:998],
    )


def _put(octets: bytes, part: Part, contents: list[bytes], parts: list[Part]) -> bytes:
    position = len(octets)
    for content, one in zip(contents, parts, strict=True):
        one.start, one.end, one.encoding = position, position + len(content), "binary"
        position = one.end
    part.content_type, part.disposition, part.children = "multipart/mixed", "", parts
    part.params, part.disposition_params = {}, {}
    return b"".join((octets, *contents))
