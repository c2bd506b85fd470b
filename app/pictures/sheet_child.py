"""The child that draws pages of PDF files: started by a pool as the one for pictures (`child`), and
giving up the same before the first document.

LOOK: `index` is the first page; the answer has the number of pages and size and text of some. DRAW:
`index` is the page in its upper sixteen bits and the longest side in pixels in the lower ones; the
answer is that of a picture. Either is null for what is no PDF that can be shown.
"""

from __future__ import annotations

import socket
import sys

from app.pictures.picture import DRAW, LOOK
from app.pictures.redraw import NotAPicture
from app.pictures.sheets import draw, look
from archive_store.mime import clean
from archive_store.mime.child import READY, Answer, give_up, serve

BLANK = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n"
)


def _look(octets: memoryview, first: int) -> Answer:
    try:
        found = look(bytes(octets), first)
    except NotAPicture:
        return None, b""
    sheets = [[one.width, one.height, clean.block(one.text)] for one in found.sheets]
    return [found.count, sheets], b""


def _draw(octets: memoryview, index: int) -> Answer:
    try:
        picture = draw(bytes(octets), index >> 16, index & 0xFFFF)
    except NotAPicture:
        return None, b""
    return [picture.media_type, picture.width, picture.height], picture.octets


def _warm() -> None:
    """Draw a page, so that all that is loaded late is there before files close."""
    look(BLANK, 1)
    draw(BLANK, 1, 8)


def main() -> None:
    """`python -m app.pictures.sheet_child SECONDS MEMORY`"""
    seconds, memory = map(int, sys.argv[1:3])
    connection = socket.socket(fileno=0)
    _warm()
    give_up(memory)
    connection.sendall(READY)
    serve(connection, seconds, {LOOK: _look, DRAW: _draw})


if __name__ == "__main__":
    main()
