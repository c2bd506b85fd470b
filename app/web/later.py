"""When something is to be sent: what the form offers, and what it asked for.

Times are those of the reader's own zone, to the minute.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from starlette.datastructures import FormData

from app.phrase import phrase
from app.views import BadDraft
from app.web.csrf import text
from app.web.dates import Clock

MORNING = time(8)
CHOOSE = phrase("Choose a day and a time.")


@dataclass(frozen=True, slots=True)
class Choice:
    """A time that is offered; `at` is the reader's."""

    name: str  # the value of its button
    at: datetime


@dataclass(frozen=True, slots=True)
class Later:
    """What the form offers: two mornings, and the bounds of a time that one chooses oneself."""

    mornings: tuple[Choice, ...]
    first: str  # as a field of type datetime-local has it
    last: str

    @classmethod
    def of(cls, clock: Clock, longest: timedelta) -> "Later":
        names = ("tomorrow", "monday")
        mornings = {morning(clock, name): name for name in reversed(names)}
        soon, last = clock.local(clock.now), clock.local(clock.now + longest)
        return cls(
            tuple(Choice(name, at) for at, name in sorted(mornings.items())),
            f"{soon:%Y-%m-%dT%H:%M}",
            f"{last:%Y-%m-%dT%H:%M}",
        )


def morning(clock: Clock, name: str) -> datetime:
    """Eight o'clock tomorrow, or on the Monday after today."""
    ahead = 1 if name == "tomorrow" else 7 - clock.today.weekday()
    return datetime.combine(clock.today + timedelta(days=ahead), MORNING, clock.zone)


def leaves_at(form: FormData, clock: Clock) -> datetime | None:
    """The time that was chosen; None: at once."""
    wanted = text(form, "when")
    if not wanted:
        return None
    if wanted in ("tomorrow", "monday"):
        return morning(clock, wanted).astimezone(UTC)
    try:
        chosen = datetime.fromisoformat(text(form, "at"))
        return chosen.replace(tzinfo=clock.zone).astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: of the year 1 or 9999, in another zone
        raise BadDraft("when", CHOOSE) from None


def said(clock: Clock, at: datetime) -> str:
    """Tomorrow, 08:00; Monday 30 November, 08:00"""
    day = clock.local(at).date()
    speech = clock.speech
    tomorrow = day == clock.today + timedelta(days=1)
    named = speech.gettext("Tomorrow") if tomorrow else clock.day(day)
    return f"{named}{speech.comma}{clock.time(at)}"
