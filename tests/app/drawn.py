"""Pictures for tests: drawn in this process, which starts no child, and made up."""

import io

from PIL import Image

from app.pictures.picture import Picture
from app.pictures.redraw import NotAPicture, redraw


def redraw_or_none(octets: bytes, longest: int) -> Picture | None:
    try:
        return redraw(octets, longest)
    except NotAPicture:
        return None


def made_picture(width: int, height: int) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(made, "PNG")
    return made.getvalue()


def made_paper(*pages: str) -> bytes:
    """A PDF with a line of text on each of its pages, without a table of where its objects are."""
    kids = " ".join(f"{10 + 2 * number} 0 R" for number in range(len(pages)))
    objects = {
        1: "<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for number, text in enumerate(pages):
        drawing = f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET"
        objects[10 + 2 * number] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {11 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects[11 + 2 * number] = f"<< /Length {len(drawing)} >>\nstream\n{drawing}\nendstream"
    written = "".join(f"{number} 0 obj\n{one}\nendobj\n" for number, one in objects.items())
    return f"%PDF-1.4\n{written}trailer\n<< /Root 1 0 R >>\n".encode("latin-1")
