"""Time as the store sees it: aware UTC datetimes, days as UTC dates.

Pure logic takes `now` as a parameter; only the edges call `utc_now`.
"""

from datetime import UTC, date, datetime, time, timedelta

DAY = timedelta(days=1)


def utc_now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)


def day_of(moment: datetime) -> date:
    """The UTC day on which `moment` falls."""
    return moment.astimezone(UTC).date()


def day_start(day: date) -> datetime:
    """Midnight UTC at the beginning of `day`."""
    return datetime.combine(day, time(), tzinfo=UTC)


def key_expiry(day: date, keep: timedelta) -> datetime:
    """When the last entry of `day` is over, so that the day's key must go."""
    return day_start(day) + DAY + keep


def day_named(name: str) -> date | None:
    """The day whose ISO form is `name` (of a folder, say); None when it is no day's."""
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
