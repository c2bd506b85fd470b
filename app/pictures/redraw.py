"""A picture of a stranger to one of ours: decoded under limits, drawn anew. Runs in the child.

PNG, JPEG, GIF, WebP and AVIF, told by their octets; never SVG, which is a document. What comes out
is a PNG or a JPEG with the pixels and nothing else: no place where it was taken (EXIF), no colour
profile, no text, nothing that stood behind the picture. It is turned as its camera said and is no
longer than `longest` pixels on either side; of a moving picture only the first frame is left.
`NotAPicture` is raised for anything else, and says nothing of what it was.
"""

from __future__ import annotations

import io
import warnings
from typing import Final

from PIL import (
    ExifTags,
    Image,
    ImageOps,
    MpoImagePlugin,  # noqa: F401 (the JPEG decoder looks for it late, when files are closed)
    TiffImagePlugin,  # noqa: F401 (likewise, for EXIF)
)

from app.pictures.picture import Picture

FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "AVIF")
MOST_PIXELS: Final = 40_000_000  # decoded; a JPEG may have 64 times as many before it is halved
MOST_PNG: Final = 4 * 1024 * 1024  # octets; a larger result is drawn as JPEG on white
JPEG_QUALITY: Final = 85
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"


class NotAPicture(Exception):
    """No picture of a known kind, damaged, or beyond the limits."""


def redraw(octets: bytes, longest: int) -> Picture:
    """The picture in `octets`, at most `longest` pixels wide and high."""
    try:
        with warnings.catch_warnings():
            # A frame that is larger than its picture said is found while it is decoded.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return drawn(_decoded(octets, longest))
    except NotAPicture:
        raise
    # Decoders raise whatever a broken file makes them stumble upon.
    except Exception as error:
        raise NotAPicture from error


def _decoded(octets: bytes, longest: int) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(octets), formats=FORMATS)
    # A JPEG is decoded at a half, a quarter or an eighth of its size where that is enough.
    image.draft(None, (longest, longest))
    if image.width * image.height > MOST_PIXELS:
        raise NotAPicture
    image.load()
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    plain = _plain(image)
    plain.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    if orientation != 1:
        plain.getexif()[ExifTags.Base.Orientation] = orientation
        plain = ImageOps.exif_transpose(plain)
    return plain


def _plain(image: Image.Image) -> Image.Image:
    """RGB or RGBA, whatever it was (palettes, grey, CMYK, 16 bits a colour)."""
    if image.mode.startswith("I"):  # 16 bits of grey; a conversion alone would cut them off
        image = image.convert("I").point(lambda level: level / 256).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def drawn(image: Image.Image) -> Picture:
    """A PNG or a JPEG of it."""
    image.info.clear()
    if image.mode == "RGBA" or _is_flat(image):
        octets = _saved(image, "PNG")
        if len(octets) <= MOST_PNG:
            return Picture(PNG, octets, *image.size)
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    return Picture(JPEG, _saved(image, "JPEG", quality=JPEG_QUALITY), *image.size)


def _is_flat(image: Image.Image) -> bool:
    """Whether it has the few colours of a drawing, which a JPEG would blur."""
    return image.getcolors(maxcolors=1024) is not None


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    made = io.BytesIO()
    image.save(made, kind, **options)
    return made.getvalue()
