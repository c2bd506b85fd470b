"""Pictures drawn anew in a child: what goes in, hostile or not, and what can come out."""

import io
import struct
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from app.pictures.easel import MOST_OCTETS, Easel, Picture
from app.pictures.redraw import FORMATS, MOST_PIXELS
from archive_store.mime.worker import PoolLimits

RED, BLUE = (200, 30, 30), (20, 40, 200)
EXIF_ORIENTATION, EXIF_MAKER = 0x0112, 0x010F
TURNED_RIGHT = 6  # the camera was turned: show it turned by 90 degrees, clockwise


@pytest.fixture(scope="module")
def easel() -> Iterator[Easel]:
    made = Easel()
    yield made
    made.close()


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    octets = io.BytesIO()
    image.save(octets, kind, **options)
    return octets.getvalue()


def halves(mode: str = "RGB") -> Image.Image:
    """Left red, right blue: 64 by 32."""
    image = Image.new("RGB", (64, 32), RED)
    image.paste(BLUE, (32, 0, 64, 32))
    return image.convert(mode)


def seen(picture: Picture | None) -> Image.Image:
    assert picture is not None
    image = Image.open(io.BytesIO(picture.octets))
    assert image.size == (picture.width, picture.height)
    assert image.get_format_mimetype() == picture.media_type
    return image


def is_like(image: Image.Image, place: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    found = image.convert("RGB").getpixel(place)
    assert isinstance(found, tuple)
    return all(abs(a - b) < 40 for a, b in zip(found, colour, strict=True))


def chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def png_of(width: int, height: int, packed: bytes) -> bytes:
    """A PNG that claims a size, with whatever stands for its pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", packed), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("kind", FORMATS)
def test_each_kind_is_drawn_anew_and_no_larger_than_asked(easel: Easel, kind: str) -> None:
    octets = saved(halves(), kind)
    image = seen(easel.redraw(octets, 64))
    assert image.size == (64, 32)
    assert is_like(image, (8, 16), RED)
    assert is_like(image, (56, 16), BLUE)
    assert seen(easel.redraw(octets, 16)).size == (16, 8)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_every_mode_of_colour_is_understood(easel: Easel, mode: str) -> None:
    image = Image.new("RGB", (8, 8), "white").convert(mode)
    octets = saved(image, "JPEG" if mode == "CMYK" else "PNG")
    assert is_like(seen(easel.redraw(octets, 8)), (4, 4), (255, 255, 255))


def test_sixteen_bits_of_grey_become_eight(easel: Easel) -> None:
    octets = saved(Image.new("I;16", (8, 8), 40_000), "PNG")
    assert is_like(seen(easel.redraw(octets, 8)), (4, 4), (156, 156, 156))


def test_what_is_transparent_stays_so(easel: Easel) -> None:
    image = seen(easel.redraw(saved(Image.new("RGBA", (8, 8), (*RED, 0)), "WEBP"), 8))
    assert image.getchannel("A").getextrema() == (0, 0)


def test_nothing_but_pixels_is_left(easel: Easel) -> None:
    exif = Image.Exif()
    exif[EXIF_MAKER] = "CANARY-CAMERA"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "CANARY-TEXT")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for octets in (
        saved(halves(), "JPEG", exif=exif, icc_profile=profile, comment=b"CANARY-COMMENT"),
        saved(halves(), "PNG", exif=exif, pnginfo=text, icc_profile=profile),
        saved(halves(), "WEBP", exif=exif, xmp=b"CANARY-XMP", icc_profile=profile),
    ):
        assert b"CANARY" in octets
        picture = easel.redraw(octets, 64)
        image = seen(picture)
        assert picture is not None
        assert not image.getexif()
        assert b"CANARY" not in picture.octets
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_picture_is_turned_as_its_camera_was(easel: Easel) -> None:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = TURNED_RIGHT
    for kind in ("JPEG", "PNG"):
        image = seen(easel.redraw(saved(halves(), kind, exif=exif), 64))
        assert image.size == (32, 64)
        assert is_like(image, (16, 8), RED)  # what was left is on top
        assert is_like(image, (16, 56), BLUE)


def test_of_ten_thousand_frames_one_is_drawn(easel: Easel) -> None:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 8, 8, 0) + b"\x02\x02\x8c\x51\x00"
    single = saved(Image.new("P", (8, 8), 0), "GIF")
    octets = single[:-1] + frame * 10_000 + b"\x3b"
    assert seen(easel.redraw(octets, 8)).format == "PNG"
    moving = saved(
        Image.new("RGB", (8, 8), RED),
        "GIF",
        save_all=True,
        append_images=[Image.new("RGB", (8, 8), BLUE)],
    )
    image = seen(easel.redraw(moving, 8))
    assert not getattr(image, "is_animated", False)
    assert is_like(image, (4, 4), RED)


def test_a_polyglot_leaves_as_a_picture_alone(easel: Easel) -> None:
    behind = b"PK\x03\x04<script>alert('CANARY')</script>%PDF-1.7"
    for kind in ("PNG", "JPEG", "GIF"):
        picture = easel.redraw(saved(halves(), kind) + behind, 64)
        assert picture is not None
        assert b"CANARY" not in picture.octets
        assert picture.media_type in ("image/png", "image/jpeg")
    inside = saved(halves(), "JPEG", comment=b"*/=1;alert('CANARY')//")
    picture = easel.redraw(inside, 64)
    assert picture is not None
    assert b"CANARY" not in picture.octets


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"GIF89a",
        b"no picture at all",
        b"<svg xmlns='http://www.w3.org/2000/svg'><rect width='9' height='9'/></svg>",
        b"%PDF-1.7\n",
        saved(Image.new("RGB", (8, 8)), "BMP"),
        saved(Image.new("RGB", (8, 8)), "TIFF"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    ],
)
def test_what_is_no_picture_of_the_five_kinds_is_refused(easel: Easel, octets: bytes) -> None:
    assert easel.redraw(octets, 64) is None


@pytest.mark.parametrize("kind", FORMATS)
def test_a_truncated_picture_is_refused(easel: Easel, kind: str) -> None:
    noise = Image.effect_noise((64, 64), 90).convert("RGB")
    octets = saved(noise, kind)
    for length in (10, len(octets) // 3, len(octets) * 3 // 4):
        assert easel.redraw(octets[:length], 64) is None


def test_bombs_are_refused_and_the_next_picture_is_drawn(easel: Easel) -> None:
    row = b"\x00" + b"\x00" * 3 * 8_000
    squeezer = zlib.compressobj(9)
    small = b"".join(squeezer.compress(row) for _ in range(8_000)) + squeezer.flush()
    assert len(small) < 300_000
    text = chunk(b"zTXt", b"a\x00\x00" + zlib.compress(b"\x00" * 20_000_000, 9))
    good = saved(halves(), "PNG")
    too_large = b"\x2c" + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0) + b"\x02\x00\x3b"
    bombs = {
        "pixels": png_of(8_000, 8_000, small),
        "claimed": png_of(2**31 - 1, 2**31 - 1, b""),
        "text": good[:33] + text + good[33:],  # behind its head
        "first frame": b"GIF89a\x08\x00\x08\x00\x80\x00\x00" + b"\x00" * 6 + too_large,
        "octets": b"\xff\xd8\xff" + b"\x00" * MOST_OCTETS,
    }
    refused = {name for name, octets in bombs.items() if easel.redraw(octets, 64) is None}
    assert refused == bombs.keys()
    assert MOST_PIXELS < 8_000 * 8_000
    assert seen(easel.redraw(good, 64)).size == (64, 32)


def test_a_photograph_beyond_the_pixels_is_decoded_smaller(easel: Easel) -> None:
    octets = saved(Image.new("L", (9_000, 5_000), 90), "JPEG")
    assert MOST_PIXELS < 9_000 * 5_000
    assert seen(easel.redraw(octets, 300)).size == (300, 167)


def test_a_child_that_takes_too_long_is_ended_and_replaced() -> None:
    hurried = Easel(PoolLimits(children=1, seconds=0.001))
    try:
        slow = saved(Image.effect_noise((1_500, 1_500), 90), "PNG")
        assert hurried.redraw(slow, 1_000) is None
        assert hurried.redraw(slow, 1_000) is None  # by another child
    finally:
        hurried.close()


def test_a_child_with_too_little_memory_costs_the_picture_alone() -> None:
    narrow = Easel(PoolLimits(children=1, memory=160 * 1024 * 1024))
    try:
        large = saved(Image.new("1", (6_000, 6_000)), "PNG")
        assert narrow.redraw(large, 64) is None
        assert seen(narrow.redraw(saved(halves(), "PNG"), 64)).size == (64, 32)
    finally:
        narrow.close()
