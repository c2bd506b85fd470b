"""A small drawing surface that becomes a PNG (ISO/IEC 15948, 8-bit RGB, no interlace).

Shapes are drawn at twice the size and averaged down, which smooths their edges. Coordinates are
pixels of the finished picture, from the top left; colours are 24-bit numbers such as 0x1f6feb.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import cos, hypot, pi, sin

Point = tuple[float, float]

SCALE = 2  # drawn pixels per finished pixel, along each side
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def mix(start: int, end: int, share: float) -> int:
    """The colour `share` of the way from one to the other."""
    parts = zip(start.to_bytes(3, "big"), end.to_bytes(3, "big"), strict=True)
    return int.from_bytes(bytes(round(a + (b - a) * share) for a, b in parts), "big")


def circle(centre: Point, radius: float, steps: int = 48) -> list[Point]:
    x, y = centre
    angles = (2 * pi * step / steps for step in range(steps))
    return [(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles]


def box(x: float, y: float, width: float, height: float) -> list[Point]:
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


class Canvas:
    """A picture in the making: three planes of rows, so that a span is one slice."""

    def __init__(self, width: int, height: int, paper: int = 0xFFFFFF) -> None:
        self.width = width
        self.height = height
        row = width * SCALE
        self._planes = [
            [bytearray([value]) * row for _ in range(height * SCALE)]
            for value in paper.to_bytes(3, "big")
        ]

    def fade(self, top: float, bottom: float, colours: Sequence[int]) -> None:
        """Fill the rows between two heights with colours that run into each other."""
        first, last = round(top * SCALE), round(bottom * SCALE)
        for row in range(first, last):
            place = (row - first) / max(last - first - 1, 1) * (len(colours) - 1)
            index = min(int(place), len(colours) - 2)
            colour = mix(colours[index], colours[index + 1], place - index)
            self._span(row, 0, self.width * SCALE, colour, 1.0)

    def fill(self, outline: Sequence[Point], colour: int, opacity: float = 1.0) -> None:
        """Fill a polygon, by the even-odd rule."""
        points = [(x * SCALE, y * SCALE) for x, y in outline]
        heights = [y for _, y in points]
        first = max(int(min(heights)), 0)
        last = min(int(max(heights)) + 1, self.height * SCALE)
        edges = [
            (a, b) if a[1] < b[1] else (b, a)
            for a, b in zip(points, points[1:] + points[:1], strict=True)
            if a[1] != b[1]
        ]
        for row in range(first, last):
            middle = row + 0.5
            crossings = sorted(
                a[0] + (middle - a[1]) * (b[0] - a[0]) / (b[1] - a[1])
                for a, b in edges
                if a[1] <= middle < b[1]
            )
            for left, right in zip(crossings[::2], crossings[1::2], strict=True):
                self._span(row, round(left), round(right), colour, opacity)

    def line(
        self, points: Sequence[Point], width: float, colour: int, opacity: float = 1.0
    ) -> None:
        """A line with round ends and corners."""
        half = width / 2
        for (x1, y1), (x2, y2) in pairwise(points):
            length = hypot(x2 - x1, y2 - y1) or 1.0
            dx, dy = (y2 - y1) / length * half, (x1 - x2) / length * half
            body = [(x1 + dx, y1 + dy), (x2 + dx, y2 + dy), (x2 - dx, y2 - dy), (x1 - dx, y1 - dy)]
            self.fill(body, colour, opacity)
        if width > 1 and opacity == 1.0:
            for point in points:
                self.fill(circle(point, half, 12), colour)

    def dashes(self, start: Point, end: Point, width: float, colour: int, dash: float = 8) -> None:
        """A straight line of dashes with gaps as long as they are."""
        length = hypot(end[0] - start[0], end[1] - start[1])
        dx, dy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
        for step in range(0, int(length), int(dash * 2)):
            stop = min(step + dash, length)
            a = (start[0] + dx * step, start[1] + dy * step)
            self.line([a, (start[0] + dx * stop, start[1] + dy * stop)], width, colour)

    def png(self) -> bytes:
        """The finished picture."""
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        pixels = zlib.compress(b"".join(self._rows()), 9)
        chunks = [_chunk(b"IHDR", header), _chunk(b"IDAT", pixels), _chunk(b"IEND", b"")]
        return SIGNATURE + b"".join(chunks)

    def _span(self, row: int, left: int, right: int, colour: int, opacity: float) -> None:
        left, right = max(left, 0), min(right, self.width * SCALE)
        if right <= left:
            return
        for plane, value in zip(self._planes, colour.to_bytes(3, "big"), strict=True):
            if opacity == 1.0:
                plane[row][left:right] = bytes([value]) * (right - left)
            else:
                blend = bytes(round(old + (value - old) * opacity) for old in range(256))
                plane[row][left:right] = plane[row][left:right].translate(blend)

    def _rows(self) -> Iterable[bytes]:
        """Rows of the finished picture, each with PNG's filter octet: the Up filter."""
        before = bytes(self.width * 3)
        for row in range(self.height):
            pixels = bytearray(self.width * 3)
            for channel, plane in enumerate(self._planes):
                pixels[channel::3] = _halved(plane[row * 2], plane[row * 2 + 1])
            yield b"\x02" + bytes((a - b) & 255 for a, b in zip(pixels, before, strict=True))
            before = bytes(pixels)


def _halved(upper: bytearray, lower: bytearray) -> bytes:
    quads = zip(upper[::2], upper[1::2], lower[::2], lower[1::2], strict=True)
    return bytes((a + b + c + d + 2) >> 2 for a, b, c, d in quads)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
