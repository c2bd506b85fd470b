"""The pages of a stranger's PDF (ISO 32000) as pictures and as text, by PDFium. Runs in the child.

PDFium comes without its JavaScript and XFA engines, and can open no file here. Pages are numbered
from 1. `NotAPicture` is raised for what is no PDF, locked by a password, damaged, or has no such
page, and says nothing of what it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pypdfium2 as pdfium

from app.pictures.picture import Picture, Sheet, Sheets
from app.pictures.redraw import NotAPicture, drawn

AT_ONCE: Final = 5  # pages that one look tells of
MOST_TEXT: Final = 20_000  # characters of a page
MOST_PAGES: Final = 2_000
LARGEST_SIDE: Final = 20_000.0  # points; 14,400 is what the standard allows for
_STARTS_IN: Final = 1_024  # octets before it are allowed for


def look(octets: bytes, first: int) -> Sheets:
    """How many pages there are, and the size and text of those from `first` on."""
    with _opened(octets) as pdf:
        count = min(len(pdf), MOST_PAGES)
        numbers = range(first, min(first + AT_ONCE, count + 1))
        if first < 1 or not numbers:
            raise NotAPicture
        return Sheets(count, tuple(_sheet(pdf[number - 1]) for number in numbers))


def draw(octets: bytes, number: int, longest: int) -> Picture:
    """One page, `longest` pixels on its longer side."""
    with _opened(octets) as pdf:
        if not 1 <= number <= min(len(pdf), MOST_PAGES):
            raise NotAPicture
        page = pdf[number - 1]
        scale = longest / max(_size(page))
        # Without an alpha channel: a page is drawn on white.
        image = page.render(scale=scale, draw_annots=True).to_pil().convert("RGB")
        image.thumbnail((longest, longest))
        return drawn(image)


@contextmanager
def _opened(octets: bytes) -> Iterator[pdfium.PdfDocument]:
    if b"%PDF-" not in octets[:_STARTS_IN]:
        raise NotAPicture
    try:
        pdf = pdfium.PdfDocument(octets)
        try:
            if pdf.get_formtype():
                pdf.init_forms()  # what somebody filled in is drawn as well
            yield pdf
        finally:
            pdf.close()
    except NotAPicture:
        raise
    # Besides its own errors the binding raises whatever a broken file makes it stumble upon.
    except Exception as error:
        raise NotAPicture from error


def _sheet(page: pdfium.PdfPage) -> Sheet:
    width, height = _size(page)
    text = page.get_textpage().get_text_bounded()[:MOST_TEXT]
    return Sheet(round(width), round(height), text.replace("\r\n", "\n"))


def _size(page: pdfium.PdfPage) -> tuple[float, float]:
    width, height = page.get_size()
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise NotAPicture
    return max(1.0, width), max(1.0, height)
