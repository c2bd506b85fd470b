"""Whether a domain's primary mail server is well: the rules. Pure: same facts, same health.

    up        it answers and takes mail
    slow      it answers late, or puts all mail off for a while; mail is still handed to it
    refusing  it answers, and turns all mail away (greeting, EHLO, TLS, MAIL)
    down      it does not answer

`observe` takes in one attempt, with hysteresis. Two failures apart are an outage (REFUSED_APART
for a closed port, which is a clear answer; SILENT_APART for everything else), so that a burst
of parallel attempts, or a restart of the server, is none; one success ends it, since what
waits should go. Late answers must go on for PACE_APART to make it slow, and prompt ones as
long to make it well again. Mail that is put off makes it slow after PUT_OFF_FOR and
PUT_OFF_TIMES; mail that is taken ends that.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.delivery.contact import Contact, Reached

REFUSED_APART = timedelta(seconds=1)
SILENT_APART = timedelta(seconds=8)
PACE_APART = timedelta(seconds=60)
PUT_OFF_FOR = timedelta(minutes=5)
PUT_OFF_TIMES = 3
PUT_OFF_FORGOTTEN = timedelta(hours=2)  # what waits is tried every hour at least
PROMPT = 8.0  # seconds until the greeting; filters against spam wait for six


class State(StrEnum):
    """How a primary is."""

    UP = "up"
    SLOW = "slow"
    DOWN = "down"
    REFUSING = "refusing"

    @property
    def is_outage(self) -> bool:
        """It is no use to hand it mail."""
        return self in (State.DOWN, State.REFUSING)


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of how fast a server is that answers."""

    late: bool = False
    turning_since: datetime | None = None  # answers in a row that say the opposite of `late`
    put_off: int = 0  # mails in a row
    put_off_first: datetime | None = None
    put_off_last: datetime | None = None

    @property
    def put_off_long(self) -> bool:
        """It puts everything off."""
        if self.put_off_first is None or self.put_off_last is None:
            return False
        lasted = self.put_off_last - self.put_off_first
        return self.put_off >= PUT_OFF_TIMES and lasted >= PUT_OFF_FOR


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of one primary. `failures` have come without a success in between."""

    state: State
    since: datetime
    failures: int = 0
    first_failure: datetime | None = None
    only_refused: bool = True
    turning_since: datetime | None = None  # in an outage: failures in a row of the other kind
    pace: Pace = Pace()

    @property
    def suspect(self) -> bool:
        """It failed, and that is no outage yet."""
        return not self.state.is_outage and self.failures > 0


def known(state: State, since: datetime) -> Health:
    """The health that was written down before a restart."""
    return Health(state, since, pace=Pace(late=state is State.SLOW))


def observe(health: Health, reached: Reached, now: datetime, prompt: float = PROMPT) -> Health:
    """Take in one attempt. `prompt`: seconds that a server may take for its greeting."""
    if reached.contact is Contact.DENIED:
        return health
    if not reached.contact.failed:
        return _answered(health, reached, now, prompt)
    if health.state.is_outage:
        return _still_out(health, _kind(reached.contact), now)
    first = health.first_failure or now
    failed = replace(
        health,
        failures=health.failures + 1,
        first_failure=first,
        only_refused=health.only_refused and reached.contact is Contact.REFUSED,
    )
    apart = REFUSED_APART if failed.only_refused else SILENT_APART
    if failed.failures >= 2 and now - first >= apart:
        return Health(_kind(reached.contact), first, failed.failures, first)
    return failed


def _kind(contact: Contact) -> State:
    return State.REFUSING if contact is Contact.UNREADY else State.DOWN


def _still_out(health: Health, kind: State, now: datetime) -> Health:
    """One odd failure, such as of a server that starts, does not change what the outage is."""
    if kind is health.state:
        return replace(health, failures=health.failures + 1, turning_since=None)
    since = health.turning_since or now
    if now - since >= SILENT_APART:
        return Health(kind, since, health.failures + 1, health.first_failure)
    return replace(health, failures=health.failures + 1, turning_since=since)


def _answered(health: Health, reached: Reached, now: datetime, prompt: float) -> Health:
    if health.state.is_outage:
        return Health(State.UP, now)
    pace = _with_mail(_with_answer(health.pace, reached.took, now, prompt), reached.took_mail, now)
    state = State.SLOW if pace.late or pace.put_off_long else State.UP
    since = health.since
    if state is not health.state:
        since = _slow_since(health.pace, pace, now) if state is State.SLOW else now
    return Health(state, since, pace=pace)


def _with_answer(pace: Pace, took: float, now: datetime, prompt: float) -> Pace:
    if not took:
        return pace
    if (took > prompt) is pace.late:
        return replace(pace, turning_since=None)
    since = pace.turning_since or now
    if now - since >= PACE_APART:
        return replace(pace, late=not pace.late, turning_since=None)
    return replace(pace, turning_since=since)


def _with_mail(pace: Pace, took_mail: bool | None, now: datetime) -> Pace:
    if took_mail is False:
        first = pace.put_off_first or now
        return replace(pace, put_off=pace.put_off + 1, put_off_first=first, put_off_last=now)
    old = pace.put_off_last is not None and now - pace.put_off_last > PUT_OFF_FORGOTTEN
    if took_mail or old:
        return replace(pace, put_off=0, put_off_first=None, put_off_last=None)
    return pace


def _slow_since(before: Pace, pace: Pace, now: datetime) -> datetime:
    """When the first of the signs was seen that made it slow."""
    signs = [before.turning_since] if pace.late else [pace.put_off_first]
    return next((sign for sign in signs if sign is not None), now)
