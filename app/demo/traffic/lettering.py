"""Draughtsman's lettering: capitals and figures as strokes on a grid of four by six.

For plans and charts. Lower case is drawn as capitals; a character without strokes is a space.
"""

from app.demo.traffic.raster import Canvas, Point

GRID_HEIGHT = 6
ADVANCE = 5.6  # grid units from one character to the next
NARROW = {"I": 2.6, " ": 3.2, ".": 2.2, ",": 2.2, ":": 2.2, "1": 4.2, "'": 2.0}

# Strokes are divided by "|", points by spaces, each point is x (0 to 4) and y (0 to 6, down).
STROKES = {
    "A": "06 20 46|14 34",
    "B": "00 06 36 45 44 33 03|33 42 41 30 00",
    "C": "41 30 10 01 05 16 36 45",
    "D": "00 06 26 44 42 20 00",
    "E": "40 00 06 46|03 33",
    "F": "40 00 06|03 33",
    "G": "41 30 10 01 05 16 36 45 43 23",
    "H": "00 06|40 46|03 43",
    "I": "10 16",
    "J": "40 45 36 16 05",
    "K": "00 06|40 03 46",
    "L": "00 06 46",
    "M": "06 00 23 40 46",
    "N": "06 00 46 40",
    "O": "10 01 05 16 36 45 41 30 10",
    "P": "06 00 30 41 42 33 03",
    "Q": "10 01 05 16 36 45 41 30 10|24 46",
    "R": "06 00 30 41 42 33 03|23 46",
    "S": "41 30 10 01 02 13 33 44 45 36 16 05",
    "T": "00 40|20 26",
    "U": "00 05 16 36 45 40",
    "V": "00 26 40",
    "W": "00 16 22 36 40",
    "X": "00 46|40 06",
    "Y": "00 23 40|23 26",
    "Z": "00 40 06 46",
    "0": "10 01 05 16 36 45 41 30 10",
    "1": "11 20 26",
    "2": "01 10 30 41 42 06 46",
    "3": "01 10 30 41 42 33 44 45 36 16 05|33 23",
    "4": "36 30 04 44",
    "5": "40 00 03 33 44 45 36 06",
    "6": "41 30 10 01 05 16 36 45 44 33 03",
    "7": "00 40 16",
    "8": "13 02 01 10 30 41 42 33 13 04 05 16 36 45 44 33",
    "9": "43 13 02 01 10 30 41 45 36 16 05",
    "-": "13 33",
    "/": "06 40",
    ".": "16 16",
    ",": "15 06",
    ":": "12 12|15 15",
    "+": "13 33|22 24",
    "%": "06 40|01 01|45 45",
    "'": "10 11",
    "&": "46 01 10 21 04 05 16 26 44",
}


def width_of(text: str, size: float) -> float:
    """How far the text reaches, in pixels; `size` is the height of a capital."""
    units = sum(NARROW.get(char, ADVANCE) for char in text.upper())
    return (units - 1.6) * size / GRID_HEIGHT if text else 0.0


def write(canvas: Canvas, place: Point, text: str, size: float, colour: int) -> None:
    """Write from `place`, the top left of the first capital."""
    unit = size / GRID_HEIGHT
    x, y = place
    for char in text.upper():
        for stroke in STROKES.get(char, "").split("|"):
            points = [(x + int(p[0]) * unit, y + int(p[1]) * unit) for p in stroke.split()]
            if points:
                canvas.line(points, max(size / 7.5, 1.2), colour)
        x += NARROW.get(char, ADVANCE) * unit


def write_centred(canvas: Canvas, middle: Point, text: str, size: float, colour: int) -> None:
    """Write with `middle` in the middle of the text."""
    left = middle[0] - width_of(text, size) / 2
    write(canvas, (left, middle[1] - size / 2), text, size, colour)
