"""Times as the reader says them: in their zone and language, today by the clock, else by the day.

Pure: the clock holds the moment at which the page is made, and the reader's speech.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby

from app.languages import ENGLISH
from app.languages.speech import Speech, speech_of
from app.views import Row

SOON = timedelta(days=2)
A_WEEK = timedelta(days=7)


def english() -> Speech:
    return speech_of(ENGLISH.tag)


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment of a page, and the zone and language of its reader."""

    now: datetime
    zone: tzinfo
    speech: Speech = field(default_factory=english)

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    @property
    def today(self) -> date:
        return self.local(self.now).date()

    def time(self, moment: datetime) -> str:
        """10:58"""
        return f"{self.local(moment):%H:%M}"

    def exact(self, moment: datetime) -> str:
        """Tuesday 24 November 2026, 10:58:07 UTC"""
        there, speech = self.local(moment), self.speech
        day = speech.day(there.date(), speech.language.whole_day)
        return f"{day}{speech.comma}{there:%H:%M:%S} {there:%Z}"

    def day(self, day: date) -> str:
        """Today, Yesterday, Wednesday 18 November"""
        return self._near(day) or self.speech.day(day, self.speech.language.long_day)

    def day_short(self, day: date) -> str:
        """Today, Yesterday, Sun 22 Nov"""
        return self._near(day) or self.speech.day(day, self.speech.language.short_day)

    def _near(self, day: date) -> str:
        if day == self.today:
            return self.speech.gettext("Today")
        if day == self.today - timedelta(days=1):
            return self.speech.gettext("Yesterday")
        return ""

    def short(self, moment: datetime) -> str:
        """10:58 today; Mon 16:20 within a week; 18 Nov 16:20 before"""
        there, language = self.local(moment), self.speech.language
        if there.date() == self.today:
            return f"{there:%H:%M}"
        within = timedelta(0) <= self.today - there.date() < A_WEEK
        day = self.speech.day(there.date(), "ccc" if within else language.date)
        return f"{day} {there:%H:%M}"

    def full(self, moment: datetime) -> str:
        """Today, 10:58; Monday 23 November, 16:20"""
        return f"{self.day(self.local(moment).date())}{self.speech.comma}{self.time(moment)}"

    def since(self, moment: datetime) -> str:
        """09:42; Monday 16:20: to stand after "since" """
        there = self.local(moment)
        time = f"{there:%H:%M}"
        if there.date() == self.today:
            return self.speech.pgettext("since", "%(time)s") % {"time": time}
        values = {"weekday": self.speech.weekday(there.date()), "time": time}
        return self.speech.pgettext("since", "%(weekday)s %(time)s") % values

    def lasting(self, start: datetime) -> str:
        """4 min; 1 h 26 min; 3 d 2 h"""
        minutes = max(0, int((self.now - start).total_seconds() // 60))
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        gettext = self.speech.gettext
        if days:
            return gettext("%(days)s d %(hours)s h") % {"days": days, "hours": hours}
        if hours:
            return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
        return gettext("%(minutes)s min") % {"minutes": minutes}

    def when(self, day: date) -> str:
        """today, tomorrow, on Thursday: to stand after "leaves" """
        ahead = (day - self.today).days
        if ahead <= 0:
            return self.speech.pgettext("leaves", "today")
        if ahead == 1:
            return self.speech.pgettext("leaves", "tomorrow")
        values = {"weekday": self.speech.weekday(day)}
        return self.speech.pgettext("leaves", "on %(weekday)s") % values

    def seconds_to(self, moment: datetime) -> int:
        """How many seconds are left until then."""
        return int((moment - self.now).total_seconds())

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
