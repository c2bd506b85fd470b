"""Numbers as drawings: where the strokes of an SVG begin and end.

Pure arithmetic in the user units of the drawings in the templates; a bar is
never shorter than a dot, since a day without mail is still a day that is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.admin_views import DayFigure, HourFigure

WEEK_LEFT, WEEK_RIGHT = 10, 186
WEEK_FLOOR, WEEK_HEIGHT = 46.0, 36.0
DOT = 0.1  # with round ends, a dot
PLOT_LEFT, PLOT_RIGHT = 40, 1080
PLOT_FLOOR, PLOT_HEIGHT = 132.0, 104.0


@dataclass(frozen=True, slots=True)
class DayBar:
    """One stroke of the week: upright at `x`, from `bottom` up to `top`."""

    day: date
    count: int
    x: float
    top: float
    bottom: float


def day_bars(week: Sequence[tuple[date, int]]) -> list[DayBar]:
    """The kept days, oldest first, as tall as their share of the fullest."""
    most = max((count for _, count in week), default=0) or 1
    step = (WEEK_RIGHT - WEEK_LEFT) / max(1, len(week) - 1)
    return [
        DayBar(
            day,
            count,
            round(WEEK_LEFT + place * step, 1),
            round(WEEK_FLOOR - max(DOT, WEEK_HEIGHT * count / most), 1),
            WEEK_FLOOR,
        )
        for place, (day, count) in enumerate(week)
    ]


@dataclass(frozen=True, slots=True)
class PlotLine:
    """A level of the scale."""

    value: int
    y: float


@dataclass(frozen=True, slots=True)
class PlotBar:
    """An hour: all that arrived as a box, what still waits as a box inside it."""

    hour: HourFigure
    x: float
    width: float
    y: float
    height: float
    held_y: float
    held_height: float


@dataclass(frozen=True, slots=True)
class HourPlot:
    """Mail by the hour."""

    bars: tuple[PlotBar, ...]
    levels: tuple[PlotLine, ...]


def _round_up(value: int) -> int:
    """The next of 4, 6, 10, 20, 40, 60, ...: scales that people read at a glance."""
    step = 1
    while True:
        for nice in (4, 6, 10, 20):
            if value <= nice * step:
                return nice * step
        step *= 10


def hour_plot(hours: Sequence[HourFigure]) -> HourPlot:
    top = _round_up(max((hour.arrived for hour in hours), default=0))
    step = (PLOT_RIGHT - PLOT_LEFT) / max(1, len(hours))

    def tall(value: int) -> float:
        return round(PLOT_HEIGHT * value / top, 1)

    bars = tuple(
        PlotBar(
            hour,
            round(PLOT_LEFT + place * step + step * 0.15, 1),
            round(step * 0.7, 1),
            round(PLOT_FLOOR - tall(hour.arrived), 1),
            tall(hour.arrived),
            round(PLOT_FLOOR - tall(hour.waiting), 1),
            tall(hour.waiting),
        )
        for place, hour in enumerate(hours)
    )
    levels = tuple(
        PlotLine(value, round(PLOT_FLOOR - tall(value), 1)) for value in (0, top // 2, top)
    )
    return HourPlot(bars, levels)


def shares(days: Sequence[DayFigure]) -> list[tuple[DayFigure, int]]:
    """Each day with its octets as hundredths of the fullest, for a `<meter>`."""
    most = max((day.octets for day in days), default=0) or 1
    return [(day, round(100 * day.octets / most)) for day in days]
