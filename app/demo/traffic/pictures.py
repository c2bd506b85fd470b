"""The pictures in the sample mail, drawn: a harbour, a site plan, a chart. All are PNG octets."""

from collections.abc import Sequence
from functools import cache
from math import pi, sin
from random import Random

from app.demo.traffic.dice import seeded
from app.demo.traffic.lettering import write, write_centred
from app.demo.traffic.raster import Canvas, Point, box, circle, mix

INK = 0x22303C
BOXES = (0xC8553D, 0x2E6F95, 0xE0A13A, 0x3E8E7E, 0x8A4F7D, 0xD9D4C7, 0x4A5A6A)


@cache
def harbour() -> bytes:
    """A container harbour at sunrise, 880 by 550: the draft of a poster."""
    picture = Canvas(880, 550)
    random = seeded(7)
    horizon = 330.0
    picture.fade(0, horizon, (0x2B3A67, 0x5B5F97, 0xB56B83, 0xF2A65A, 0xFFE0A3))
    for radius, opacity in ((150, 0.07), (112, 0.09), (80, 0.14)):
        picture.fill(circle((610, 292), radius, 96), 0xFFF1C9, opacity)
    picture.fill(circle((610, 292), 46, 96), 0xFFF6DC)
    _hills(picture, horizon, 40, 0x7A5C7E, random)
    _hills(picture, horizon, 22, 0x584B6E, random)
    _sea(picture, horizon, random)
    _ship(picture, (330, 372), random)
    _quay(picture, random)
    for x, size in ((196, 1.12), (64, 1.36), (770, 0.94)):
        _crane(picture, (x, 472), size)
    for x, y, span in ((420, 96, 15), (462, 120, 11), (388, 132, 9), (700, 82, 8)):
        wing = [(x - span, y - span * 0.45), (x, y), (x + span, y - span * 0.5)]
        picture.line(wing, 2.2, 0x2A2B45)
    return picture.png()


def _hills(picture: Canvas, base: float, height: float, colour: int, random: Random) -> None:
    shift = random.uniform(0, 6)
    ridge = [
        (x, base - height * (0.55 + 0.3 * sin(x / 97 + shift) + 0.15 * sin(x / 31 + shift * 2)))
        for x in range(0, 881, 8)
    ]
    picture.fill([*ridge, (880, base), (0, base)], colour)


def _sea(picture: Canvas, horizon: float, random: Random) -> None:
    picture.fade(horizon, 480, (0xF0B27A, 0xA8778C, 0x4B4E7D, 0x2C3560))
    for _ in range(520):
        y = horizon + 2 + 140 * random.random() ** 1.4
        depth = (y - horizon) / 140
        x, width = random.uniform(-20, 880), random.uniform(8, 26) * (0.5 + 2 * depth)
        colour = mix(0xFFE3B0, 0x7D87B8, depth)
        picture.fill(box(x, y, width, 0.8 + 1.8 * depth), colour, 0.22)
    for step in range(46):  # the sun's path over the water
        y = horizon + 3 + step * 3.2
        spread = 20 + step * 1.5
        x = 610 + random.uniform(-spread, spread) * 0.6
        picture.fill(box(x - spread / 2, y, spread, 1.8), 0xFFF0C4, 0.6 - step * 0.009)


def _ship(picture: Canvas, place: Point, random: Random) -> None:
    x, water = place
    for row in range(9):  # reflection, wider ripples further down
        picture.fill(box(x + row * 3, water + 3 + row * 5, 388 - row * 5, 3), 0x1D2340, 0.34)
    for tier in range(4):
        for column in range(13):
            if tier == 3 and column in (0, 1, 5, 11, 12):
                continue
            left, top = x + 44 + column * 20, water - 49 - tier * 13
            colour = mix(random.choice(BOXES), 0x2B2340, 0.28)
            picture.fill(box(left, top, 19, 12), colour)
            picture.fill(box(left, top, 19, 2.4), 0xFFFFFF, 0.16)
    picture.fill(box(x + 320, water - 106, 42, 70), 0xE9DFD2)
    picture.fill(box(x + 312, water - 112, 58, 9), 0xCFC2B4)
    picture.fill(box(x + 334, water - 136, 18, 26), 0xB5483A)
    picture.fill(box(x + 334, water - 128, 18, 5), 0xF3E9DC)
    for deck in range(4):
        for window in range(4):
            picture.fill(box(x + 325 + window * 9.4, water - 97 + deck * 14, 5, 5), 0x3A3A5C)
    hull = [(x - 6, water - 42), (x + 398, water - 36), (x + 382, water), (x + 22, water)]
    picture.fill(hull, 0x232846)
    picture.fill(
        [(x + 14, water - 7), (x + 386, water - 7), (x + 382, water), (x + 22, water)], 0x9A3B32
    )
    picture.line([(x + 20, water - 42), (x + 20, water - 66)], 2, 0x232846)


def _crane(picture: Canvas, foot: Point, size: float) -> None:
    x, y = foot
    colour = mix(0x181C36, 0x3E3B5E, 1.36 - size)

    def at(dx: float, dy: float) -> Point:
        return (x + dx * size, y - dy * size)

    for leg in (0, 58):
        picture.line([at(leg, 0), at(leg, 168)], 6 * size, colour)
    picture.line([at(0, 66), at(58, 66)], 5 * size, colour)
    for low, high in (((0, 66), (58, 150)), ((0, 0), (58, 66)), ((58, 0), (0, 66))):
        picture.line([at(*low), at(*high)], 2.4 * size, colour)
    picture.line([at(-52, 160), at(176, 160)], 7 * size, colour)
    picture.line([at(-52, 168), at(176, 168)], 2 * size, colour)
    picture.line([at(29, 160), at(29, 236)], 4 * size, colour)
    for end in (-46, 96, 172):
        picture.line([at(29, 234), at(end, 164)], 1.8 * size, colour)
    picture.fill(box(*at(-50, 158), 26 * size, 16 * size), colour)
    picture.fill(box(*at(104, 156), 14 * size, 14 * size), 0xE8B04B)
    picture.line([at(128, 156), at(128, 104)], 1.4 * size, colour)
    picture.fill(box(*at(116, 104), 26 * size, 13 * size), 0xC8553D)


def _quay(picture: Canvas, random: Random) -> None:
    picture.fade(476, 550, (0x2A2E4C, 0x1B1F38))
    picture.fill(box(0, 470, 880, 9), 0x12162B)
    picture.fill(box(0, 470, 880, 2), 0xE8A66B, 0.5)
    for x in range(24, 880, 58):
        picture.fill([(x, 470), (x + 11, 470), (x + 9, 460), (x + 2, 460)], 0x12162B)
    for left, rows in ((0, 3), (96, 2), (500, 2), (596, 3), (692, 2), (788, 1)):
        for row in range(rows):
            colour = mix(random.choice(BOXES), 0x1A1B34, 0.36)
            picture.fill(box(left, 528 - row * 25, 92, 24), colour)
            for rib in range(1, 13):
                picture.fill(box(left + rib * 7, 530 - row * 25, 2, 20), 0x0F1124, 0.28)
            picture.fill(box(left, 528 - row * 25, 92, 2.5), 0xFFD9A0, 0.3)


@cache
def site_plan() -> bytes:
    """Where the new gate is, 860 by 560: a plan with a route for lorries."""
    plan = Canvas(860, 560, 0xF7F4EC)
    plan.fill(box(0, 0, 860, 118), 0xCFE3EA)
    for row in range(6):
        wave = [(x, 16 + row * 17 + 2.5 * sin(x / 22 + row * pi / 2)) for x in range(0, 861, 10)]
        plan.line(wave, 1.2, 0xA9C8D4)
    plan.fill(box(0, 114, 860, 7), 0x8C9AA3)
    write(plan, (24, 84), "Harbour basin 3", 13, 0x4F7F92)
    _streets(plan)
    for outline, name in (
        (box(60, 160, 210, 120), "Hall 1"),
        (box(330, 160, 150, 120), "Hall 2"),
        ([(60, 400), (250, 400), (250, 450), (190, 450), (190, 500), (60, 500)], "Office"),
        (box(680, 160, 150, 100), "Brightwater"),
    ):
        _building(plan, outline, name)
    _yard(plan)
    _route(plan)
    _title_block(plan)
    return plan.png()


def _streets(plan: Canvas) -> None:
    for street in (box(0, 312, 860, 52), box(548, 121, 50, 439)):
        plan.fill(street, 0xFFFFFF)
    for y in (312, 364):
        plan.line([(0, y), (548, y)], 1.6, 0x9AA3A8)
        plan.line([(598, y), (860, y)], 1.6, 0x9AA3A8)
    for x in (548, 598):
        plan.line([(x, 121), (x, 312)], 1.6, 0x9AA3A8)
        plan.line([(x, 364), (x, 560)], 1.6, 0x9AA3A8)
    plan.dashes((0, 338), (540, 338), 1.8, 0xC9CFD2, 10)
    plan.dashes((606, 338), (860, 338), 1.8, 0xC9CFD2, 10)
    write(plan, (24, 322), "Harbour Street", 12, 0x7A858B)


def _building(plan: Canvas, outline: Sequence[Point], name: str) -> None:
    plan.fill(outline, 0xE3DCCB)
    left, top = min(x for x, _ in outline), min(y for _, y in outline)
    plan.line([*outline, outline[0]], 2.6, INK)
    write(plan, (left + 14, top + 15), name, 13, INK)


def _yard(plan: Canvas) -> None:
    for bay in range(6):
        x = 344 + bay * 22
        plan.line([(x, 280), (x, 300)], 1.6, INK)
    plan.line([(344, 280), (454, 280)], 4.5, 0xB5483A)
    write(plan, (344, 256), "Ramp", 11, 0xB5483A)
    for place in range(9):
        plan.line([(300 + place * 24, 404), (300 + place * 24, 446)], 1.4, 0x9AA3A8)
    plan.line([(300, 404), (492, 404)], 1.4, 0x9AA3A8)
    write(plan, (300, 456), "Visitors", 11, 0x7A858B)
    for x, y, radius in (
        (636, 190, 15), (652, 228, 12), (634, 272, 16), (640, 402, 14), (660, 440, 17),
        (700, 414, 12), (282, 520, 13), (516, 520, 15), (514, 186, 13), (512, 232, 10),
    ):  # fmt: skip
        plan.fill(circle((x + 2, y + 2), radius), 0xB9B39F, 0.5)
        plan.fill(circle((x, y), radius), 0x9DBF94)
        plan.fill(circle((x - radius / 4, y - radius / 4), radius * 0.55), 0xB4D0AB)


def _route(plan: Canvas) -> None:
    old = (214, 312)
    plan.line([(old[0] - 9, old[1] - 9), (old[0] + 9, old[1] + 9)], 4, 0x8C9AA3)
    plan.line([(old[0] - 9, old[1] + 9), (old[0] + 9, old[1] - 9)], 4, 0x8C9AA3)
    write(plan, (230, 294), "Old gate", 10, 0x7A858B)
    way = [(586, 556), (586, 352), (500, 352), (500, 306), (470, 306)]
    plan.line(way, 5, 0x1F6FB2)
    plan.fill([(470, 297), (470, 315), (453, 306)], 0x1F6FB2)
    plan.fill(circle((500, 312), 11), 0xFFFFFF)
    plan.fill(circle((500, 312), 9), 0x1F6FB2)
    plan.line([(514, 309), (604, 300)], 1.6, 0x1F6FB2)
    write(plan, (612, 291), "New gate", 15, 0x1F6FB2)


def _title_block(plan: Canvas) -> None:
    plan.fill(box(640, 470, 206, 76), 0xFFFFFF)
    outline = box(640, 470, 206, 76)
    plan.line([*outline, outline[0]], 1.6, INK)
    plan.line([(640, 498), (846, 498)], 1.2, INK)
    write(plan, (652, 479), "Gate plan, sheet 1", 11, INK)
    write(plan, (652, 510), "Lorries from the south", 9, 0x55636D)
    for step in range(4):
        plan.fill(box(652 + step * 26, 530, 26, 5), INK if step % 2 == 0 else 0xD9D4C7)
    write(plan, (764, 527), "40 m", 9, 0x55636D)
    plan.line([(822, 78), (822, 32)], 3, INK)
    plan.fill([(813, 44), (822, 22), (831, 44)], INK)
    write_centred(plan, (822, 96), "N", 14, INK)


@cache
def week_chart(seed: int = 3) -> bytes:
    """Parcels sent on the last five working days, 720 by 320: a chart inside a report."""
    chart = Canvas(720, 320)
    random = seeded(seed)
    sent = [random.randint(58, 132) for _ in range(5)]
    planned = [80, 80, 100, 100, 90]
    for step in range(4):
        y = 250 - step * 60
        chart.line([(64, y), (700, y)], 1, 0xE3E6E8)
        write(chart, (24, y - 5), str(step * 50), 10, 0x6B7780)
    for index, (name, count) in enumerate(
        zip(("Mon", "Tue", "Wed", "Thu", "Fri"), sent, strict=True)
    ):
        x, height = 96 + index * 122, count * 1.2
        chart.fill(
            box(x, 250 - height, 62, height), 0x2E6F95 if count >= planned[index] else 0xE0A13A
        )
        write_centred(chart, (x + 31, 250 - height - 12), str(count), 11, INK)
        write_centred(chart, (x + 31, 270), name, 11, 0x55636D)
    line = [(127 + index * 122, 250 - value * 1.2) for index, value in enumerate(planned)]
    chart.line(line, 2.4, INK)
    for point in line:
        chart.fill(circle(point, 5), INK)
        chart.fill(circle(point, 2.6), 0xFFFFFF)
    for x, colour, name in (
        (64, 0x2E6F95, "Reached"),
        (190, 0xE0A13A, "Below plan"),
        (344, INK, "Plan"),
    ):
        chart.fill(box(x, 298, 11, 11), colour)
        write(chart, (x + 20, 298), name, 11, 0x55636D)
    return chart.png()


@cache
def logo() -> bytes:
    """A firm's mark for the foot of its letters, 132 by 36."""
    mark = Canvas(132, 36)
    mark.fill(circle((18, 18), 15), 0x24435C)
    mark.line([(10, 22), (18, 11), (26, 22)], 3, 0xFFFFFF)
    mark.line([(44, 27), (124, 27)], 1.2, 0xB8C4CC)
    write(mark, (44, 9), "O & L LLP", 11, 0x24435C)
    return mark.png()
