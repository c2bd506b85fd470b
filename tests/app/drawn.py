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
