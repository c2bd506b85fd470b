"""File names of attachments: what the sender wrote, made safe on every system.

Path parts are cut, invisible and reordering characters go (a right-to-left override makes
`gpj.exe` look like `exe.jpg`), so do the characters and names that Windows refuses. The real
extension always survives at the end, whatever the length.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from archive_store.mime import clean

LONGEST: Final = 180  # octets of UTF-8: leaves room below the usual 255 for " (2)" and the like
_UNSAFE: Final = re.compile(r'[<>:"|?*]')
_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)")
_EXTENSIONS: Final = {
    "application/gzip": "gz",
    "application/json": "json",
    "application/msword": "doc",
    "application/ms-tnef": "dat",
    "application/pdf": "pdf",
    "application/pgp-signature": "asc",
    "application/pkcs7-signature": "p7s",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/zip": "zip",
    "audio/mpeg": "mp3",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "message/delivery-status": "txt",
    "message/rfc822": "eml",
    "text/calendar": "ics",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/vcard": "vcf",
    "video/mp4": "mp4",
}


def safe_name(written: str, content_type: str, index: int) -> str:
    """The name to save attachment `index` under; made up when `written` has nothing to keep."""
    text = unicodedata.normalize("NFC", clean.name(written[:4_096]))
    text = re.split(r"[/\\]", text)[-1]
    text = _UNSAFE.sub("_", text).strip(" .")
    if not text:
        return f"attachment-{index + 1}.{_EXTENSIONS.get(content_type, 'bin')}"
    if _RESERVED.match(text):
        text = "_" + text
    return _shorten(text)


def _shorten(text: str) -> str:
    if len(text.encode("utf-8", "replace")) <= LONGEST:
        return text
    stem, dot, extension = text.rpartition(".")
    tail = (dot + extension) if stem and len(extension.encode("utf-8", "replace")) <= 20 else ""
    room = LONGEST - len(tail.encode("utf-8", "replace"))
    head = (stem if tail else text).encode("utf-8", "replace")[:room].decode("utf-8", "ignore")
    return head.rstrip(" .") + tail
