"""Times as the reader says them: in their zone, today by the clock, else by the day.

Pure: the clock holds the moment at which the page is made. Words are wrapped in
`_` where a template prints them; here they are the English originals.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby

from app.views import Row

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
SOON = timedelta(days=2)
A_WEEK = timedelta(days=7)


def weekday(day: date) -> str:
    return WEEKDAYS[day.weekday()]


def day_month(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment of a page, and the zone of its reader."""

    now: datetime
    zone: tzinfo

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    @property
    def today(self) -> date:
        return self.local(self.now).date()

    def time(self, moment: datetime) -> str:
        """10:58"""
        return self.local(moment).strftime("%H:%M")

    def exact(self, moment: datetime) -> str:
        """Tuesday 24 November 2026, 10:58:07 UTC"""
        there = self.local(moment)
        return f"{weekday(there)} {day_month(there)} {there.year}, {there:%H:%M:%S} {there:%Z}"

    def day(self, day: date) -> str:
        """Today, Yesterday, Wednesday 18 November"""
        if day == self.today:
            return "Today"
        if day == self.today - timedelta(days=1):
            return "Yesterday"
        return f"{weekday(day)} {day_month(day)}"

    def day_short(self, day: date) -> str:
        """Today, Yesterday, Sun 22 Nov"""
        named = self.day(day)
        if named in ("Today", "Yesterday"):
            return named
        return f"{weekday(day)[:3]} {day.day} {MONTHS[day.month - 1][:3]}"

    def short(self, moment: datetime) -> str:
        """10:58 today; Mon 16:20 within a week; 18 Nov 16:20 before"""
        there = self.local(moment)
        if there.date() == self.today:
            return f"{there:%H:%M}"
        if timedelta(0) <= self.today - there.date() < A_WEEK:
            return f"{weekday(there)[:3]} {there:%H:%M}"
        return f"{there.day} {MONTHS[there.month - 1][:3]} {there:%H:%M}"

    def full(self, moment: datetime) -> str:
        """Today, 10:58; Monday 23 November, 16:20"""
        return f"{self.day(self.local(moment).date())}, {self.time(moment)}"

    def since(self, moment: datetime) -> str:
        """09:42; Monday 16:20: to stand after "since" """
        there = self.local(moment)
        if there.date() == self.today:
            return f"{there:%H:%M}"
        return f"{weekday(there)} {there:%H:%M}"

    def lasting(self, start: datetime) -> str:
        """4 min; 1 h 26 min; 3 d 2 h"""
        minutes = max(0, int((self.now - start).total_seconds() // 60))
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        if days:
            return f"{days} d {hours} h"
        return f"{hours} h {minutes} min" if hours else f"{minutes} min"

    def when(self, day: date) -> str:
        """today, tomorrow, on Thursday: to stand after "leaves" """
        ahead = (day - self.today).days
        if ahead <= 0:
            return "today"
        return "tomorrow" if ahead == 1 else f"on {weekday(day)}"

    def leaving(self, moment: datetime) -> str:
        """When something leaves, if that is soon; otherwise empty."""
        return self.when(self.local(moment).date()) if moment - self.now <= SOON else ""


@dataclass(frozen=True, slots=True)
class DayGroup:
    """The rows of one day of the reader's calendar. `leaving` as `Clock.leaving`."""

    day: date
    leaving: str
    rows: tuple[Row, ...]


def by_day(clock: Clock, rows: Iterable[Row], keep: timedelta) -> Iterator[DayGroup]:
    """Rows in their order, a group for each day; rows of a day must lie together."""
    for day, group in groupby(rows, lambda row: clock.local(row.received_at).date()):
        gone = day + keep
        soon = (gone - clock.today).days <= 1
        yield DayGroup(day, clock.when(gone) if soon else "", tuple(group))
