"""The child that draws pictures anew: as the parser's children, it is started by a pool, gives up
files, sockets and memory before the first picture, and dies on anything unexpected.

`op` is REDRAW, `index` the longest side in pixels; the answer has media type, width and height, or
is null where there is no picture.
"""

from __future__ import annotations

import io
import socket
import sys

from PIL import Image

from app.pictures.picture import REDRAW
from app.pictures.redraw import FORMATS, NotAPicture, redraw
from archive_store.mime.child import READY, Answer, give_up, serve


def _answer(octets: memoryview, longest: int) -> Answer:
    try:
        picture = redraw(bytes(octets), longest)
    except NotAPicture:
        return None, b""
    return [picture.media_type, picture.width, picture.height], picture.octets


def _warm() -> None:
    """Decode one of each kind, so that all that is imported late is there before files close."""
    for kind in FORMATS:
        made = io.BytesIO()
        Image.new("RGB", (8, 8)).save(made, kind)
        redraw(made.getvalue(), 4)


def main() -> None:
    """`python -m app.pictures.child SECONDS MEMORY`"""
    seconds, memory = map(int, sys.argv[1:3])
    connection = socket.socket(fileno=0)
    _warm()
    give_up(memory)
    connection.sendall(READY)
    serve(connection, seconds, {REDRAW: _answer})


if __name__ == "__main__":
    main()
