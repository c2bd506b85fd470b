"""A small PDF writer (ISO 32000-1): A4 pages with text, lines and boxes in the standard fonts.

Coordinates are points (1/72 inch) from the top left of the page. Text is WinAnsi (annex D.2); a
character outside of it becomes its base letter, or a question mark. The octets depend only on
what was drawn, so the same document is the same file.
"""

import unicodedata
import zlib
from datetime import datetime

WIDTH, HEIGHT = 595.0, 842.0  # A4

Colour = tuple[float, float, float]
BLACK: Colour = (0.1, 0.12, 0.15)

# Widths of the characters 32 to 126 in thousandths of the size, as in Adobe's font metrics.
_REGULAR = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 "
    "556 556 556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 "
    "556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 "
    "556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 "
    "500 500 500 334 260 334 584"
)
_BOLD = (
    "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 "
    "556 556 556 556 333 333 584 584 584 611 975 722 722 722 722 667 611 778 722 278 556 722 "
    "611 833 722 778 667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 333 556 "
    "611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 "
    "556 556 500 389 280 389 584"
)
WIDTHS = {
    bold: dict(enumerate(map(int, table.split()), start=32))
    for bold, table in ((False, _REGULAR), (True, _BOLD))
}
OTHER_WIDTH = 556


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """How far the text reaches, in points."""
    table = WIDTHS[bold]
    units = sum(table.get(ord(_base(char)), OTHER_WIDTH) for char in text)
    return units * size / 1000


class Document:
    """A document in the making; `render` gives the file."""

    def __init__(self, title: str, author: str, made: datetime) -> None:
        self._title = title
        self._author = author
        self._made = made
        self._pages: list[list[bytes]] = [[]]

    def new_page(self) -> None:
        self._pages.append([])

    def text(
        self, place: tuple[float, float], text: str, size: float = 10, *,
        bold: bool = False, align: str = "left", colour: Colour = BLACK,
    ) -> None:  # fmt: skip
        """One line of text; `place` is the end of its base line that `align` names."""
        x, y = place
        reach = width_of(text, size, bold=bold)
        x -= {"left": 0.0, "centre": reach / 2, "right": reach}[align]
        font = "F2" if bold else "F1"
        draw = f"BT {_rgb(colour)} rg /{font} {size:g} Tf {x:.2f} {HEIGHT - y:.2f} Td "
        self._pages[-1].append(draw.encode() + _literal(text) + b" Tj ET")

    def line(
        self, start: tuple[float, float], end: tuple[float, float],
        width: float = 0.6, colour: Colour = BLACK,
    ) -> None:  # fmt: skip
        draw = f"{_rgb(colour)} RG {width:g} w {start[0]:.2f} {HEIGHT - start[1]:.2f} m "
        self._pages[-1].append((draw + f"{end[0]:.2f} {HEIGHT - end[1]:.2f} l S").encode())

    def box(self, place: tuple[float, float], size: tuple[float, float], colour: Colour) -> None:
        """A filled box; `place` is its top left."""
        y = HEIGHT - place[1] - size[1]
        draw = f"{_rgb(colour)} rg {place[0]:.2f} {y:.2f} {size[0]:.2f} {size[1]:.2f} re f"
        self._pages[-1].append(draw.encode())

    def render(self) -> bytes:
        """The file: catalogue, pages, fonts, information, then a page and its content each."""
        kids = " ".join(f"{6 + index * 2} 0 R" for index in range(len(self._pages)))
        font = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
        made = f"(D:{self._made:%Y%m%d%H%M%S}Z)".encode()
        information = b" ".join(
            (b"<< /Title", _literal(self._title), b"/Author", _literal(self._author),
             b"/CreationDate", made, b">>")
        )  # fmt: skip
        objects = [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            f"<< /Type /Pages /Kids [{kids}] /Count {len(self._pages)} >>".encode(),
            font.format("Helvetica").encode(),
            font.format("Helvetica-Bold").encode(),
            information,
        ]
        for index, drawn in enumerate(self._pages):
            objects += _page(7 + index * 2, b"\n".join(drawn))
        return _file(objects)


def _page(content_number: int, drawn: bytes) -> tuple[bytes, bytes]:
    page = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH:g} {HEIGHT:g}]"
        " /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >>"
        f" /Contents {content_number} 0 R >>"
    )
    packed = zlib.compress(drawn, 9)
    stream = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
    return page.encode(), stream + packed + b"\nendstream"


def _file(objects: list[bytes]) -> bytes:
    # The second line tells file transfer programs that this is binary (section 7.5.2).
    octets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(octets))
        octets += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(octets)
    octets += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    octets += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    octets += b"trailer\n<< /Size %d /Root 1 0 R /Info 5 0 R >>\n" % (len(objects) + 1)
    return bytes(octets + b"startxref\n%d\n%%%%EOF\n" % start)


def _literal(text: str) -> bytes:
    """A string object (section 7.3.4.2), escaped."""
    octets = b"".join(_winansi(char) for char in text)
    for special in (b"\\", b"(", b")"):
        octets = octets.replace(special, b"\\" + special)
    return b"(" + octets + b")"


def _winansi(char: str) -> bytes:
    try:
        return char.encode("cp1252")
    except UnicodeEncodeError:
        return _base(char).encode("ascii", "replace")


def _base(char: str) -> str:
    return unicodedata.normalize("NFKD", char)[0]


def _rgb(colour: Colour) -> str:
    return " ".join(f"{part:g}" for part in colour)
