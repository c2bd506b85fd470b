"""When an event is, in the reader's zone and language; a recurrence in words if it is a simple one.

Pure. Whole days are days of the calendar and belong to no zone. A time in a zone that is not known
here, and one without a zone, stand as the sender wrote them.
"""

import re
from datetime import datetime, timedelta
from typing import Final

from app.phrase import phrase, phrases, together
from app.web.dates import Clock
from archive_store.mime.invitation import Invitation, Moment

EVERY: Final = {
    "DAILY": phrase("Every day."),
    "WEEKLY": phrase("Every week."),
    "MONTHLY": phrase("Every month."),
    "YEARLY": phrase("Every year."),
}
DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
NOT_SIMPLE: Final = phrase("More than once, by a rule that your calendar knows to read.")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,3}")


def invited_when(event: Invitation, clock: Clock) -> str:
    """Tuesday 1 December 2026, 15:00–16:00 CET; empty when it does not say."""
    start, end = event.start, event.end
    if start is None:
        return ""
    if start.is_day:
        return _days(start, end, clock)
    zone = start.known_zone
    begins = clock.local(start.local.replace(tzinfo=zone)) if zone else start.local
    ends = None
    if end is not None and not end.is_day:
        if zone is not None and end.known_zone is not None:
            ends = clock.local(end.local.replace(tzinfo=end.known_zone))
        elif zone is None and end.zone == start.zone:
            ends = end.local
    said = _span(begins, ends, clock)
    if zone is not None:
        return f"{said} {begins:%Z}"
    if start.zone:
        return phrase("%(time)s, in the organiser's zone (%(zone)s)", time=said, zone=start.zone)
    return said


def how_often(event: Invitation, clock: Clock) -> str:
    """The rule of its recurrence (RFC 5545 section 3.3.10) in words; empty: it is once."""
    if not event.rule:
        return ""
    rule = dict(part.partition("=")[::2] for part in event.rule.upper().split(";"))
    frequency = rule.pop("FREQ", "")
    every = EVERY.get(frequency)
    rule.pop("WKST", "")  # matters only where weeks are left out
    if every is None or rule.pop("INTERVAL", "1") != "1":
        return NOT_SIMPLE
    if not _is_its_own_day(frequency, rule, event.start):
        return NOT_SIMPLE
    until, count = rule.pop("UNTIL", ""), rule.pop("COUNT", "")
    if rule or (until and count):
        return NOT_SIMPLE
    if _COUNT.fullmatch(count):
        times = phrases("%(num)s time in all.", "%(num)s times in all.", int(count))
        return together((every, times))
    if until:
        last = _last(until, clock)
        return (
            together((every, phrase("The last is by %(day)s.", day=last))) if last else NOT_SIMPLE
        )
    return NOT_SIMPLE if count else every


def _is_its_own_day(frequency: str, rule: dict[str, str], start: Moment | None) -> bool:
    """Whether the days that a rule names say no more than the first event does; they go."""
    if start is None:
        return False
    day, month = str(start.day.day), str(start.day.month)
    own = {
        "WEEKLY": {"BYDAY": DAYS[start.day.weekday()]},
        "MONTHLY": {"BYMONTHDAY": day},
        "YEARLY": {"BYMONTHDAY": day, "BYMONTH": month},
    }.get(frequency, {})
    return all(rule.pop(name, value) == value for name, value in own.items())


def _last(until: str, clock: Clock) -> str:
    try:
        day = datetime.strptime(until[:8], "%Y%m%d").date()  # noqa: DTZ007 (a day)
    except ValueError:
        return ""
    return clock.speech.day(day, clock.speech.language.whole_day)


def _days(start: Moment, end: Moment | None, clock: Clock) -> str:
    speech = clock.speech
    first = start.day
    last = end.day - timedelta(days=1) if end and end.is_day else first
    begins = speech.day(first, speech.language.whole_day)
    if last <= first:
        return phrase("%(day)s, all day", day=begins)
    ends = speech.day(last, speech.language.whole_day)
    return phrase("%(first)s to %(last)s, all day", first=begins, last=ends)


def _span(begins: datetime, ends: datetime | None, clock: Clock) -> str:
    speech = clock.speech
    whole = speech.language.whole_day
    said = f"{speech.day(begins.date(), whole)}{speech.comma}{begins:%H:%M}"
    if ends is None or ends <= begins:
        return said
    if ends.date() == begins.date():
        return f"{said}\u2013{ends:%H:%M}"
    return f"{said} \u2013 {speech.day(ends.date(), whole)}{speech.comma}{ends:%H:%M}"
