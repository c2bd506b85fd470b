"""The text of attached documents (PDF and office files), for a search.

Run as a child of its own by `worker.ParserPool`: a file that takes too long, too much memory or
the process with it costs its own text and nothing else; its message is listed and read as ever.
Files are told by their first octets, not by what they are called.
"""

from __future__ import annotations

import io
import logging
import socket
import sys
from typing import Final

from pypdf import PdfReader, PdfWriter

from archive_store.mime import clean
from archive_store.mime.child import READY, TEXT, Answer, give_up, serve
from archive_store.mime.office import office_text
from archive_store.mime.parse import attachment_octets, parse_message

MOST_TEXT: Final = 64 * 1024  # characters of all documents of a message
MOST_DOCUMENTS: Final = 20
MOST_PAGES: Final = 100
_PDF_STARTS_IN: Final = 1024  # octets before it are allowed for


def document_text(octets: bytes) -> str:
    """What is written in the documents of a message; what cannot be read is left out."""
    found: list[str] = []
    room = MOST_TEXT
    for one in parse_message(octets).attachments[:MOST_DOCUMENTS]:
        _, content = attachment_octets(octets, one.index)
        text = " ".join(clean.block(text_of(content, room)).split())
        if text:
            found.append(text)
            room -= len(text)
        if room <= 0:
            break
    return " ".join(found)


def text_of(content: bytes, most: int) -> str:
    """About the first `most` characters of a document; empty for what is none."""
    try:
        if b"%PDF-" in content[:_PDF_STARTS_IN]:
            return pdf_text(content, most)
        if content.startswith(b"PK\x03\x04"):
            return office_text(content, most)
    except Exception:
        # Besides its own errors pypdf raises whatever a broken file makes it stumble upon, and
        # this process is there for such files: one that cannot be read costs its own text.
        return ""
    return ""


def pdf_text(content: bytes, most: int) -> str:
    """The text of the first pages of a PDF (ISO 32000); those locked by a password have none."""
    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        return ""
    pieces: list[str] = []
    room = most
    for number in range(min(len(reader.pages), MOST_PAGES)):
        text = reader.pages[number].extract_text()
        pieces.append(text)
        room -= len(text)
        if room <= 0:
            break
    return "\n".join(pieces)[:most]


def _answer(octets: memoryview, _: int) -> Answer:
    return document_text(bytes(octets)), b""


def _warm() -> None:
    """Read a document, so that all that pypdf imports late is there before files are closed."""
    made = io.BytesIO()
    with PdfWriter() as writer:
        writer.add_blank_page(72, 72)
        writer.write(made)
    pdf_text(made.getvalue(), 1)


def main() -> None:
    """`python -m archive_store.mime.documents SECONDS MEMORY`"""
    logging.disable()  # its warnings would quote the document
    seconds, memory = map(int, sys.argv[1:3])
    connection = socket.socket(fileno=0)
    _warm()
    give_up(memory)
    connection.sendall(READY)
    serve(connection, seconds, {TEXT: _answer})


if __name__ == "__main__":
    main()
