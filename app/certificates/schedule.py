"""When to ask for a certificate. No I/O: same facts, same moment."""

from datetime import UTC, datetime, timedelta

from app.certificates.kept import Held

AT_ONCE = datetime.min.replace(tzinfo=UTC)
# Let's Encrypt allows five failed validations of a name an hour.
RETRY_DELAYS = tuple(timedelta(minutes=m) for m in (2, 10, 30, 60, 180, 360, 720))
LONGEST_WAIT = timedelta(days=7)


def due_at(held: Held | None, names: tuple[str, ...], suggested: datetime | None) -> datetime:
    """When the certificate in use is to be replaced.

    `suggested` is the authority's own word (ARI, RFC 9773). It counts, unless it would leave less
    than a sixth of the life for trouble. Without it: with a third left, and a little
    sooner by the serial number, so that not all machines of the world come at once.
    """
    if held is None or held.stand_in or held.names != frozenset(names):
        return AT_ONCE
    if suggested is not None:
        return min(suggested, held.ends - held.life / 6)
    sooner = held.life / 30 * (held.serial % 1000) / 1000
    return held.ends - held.life / 3 - sooner


def next_attempt(failures: int, told: timedelta | None, share: float, now: datetime) -> datetime:
    """After `failures` in a row (1 is the first). `told`: Retry-After; `share`: 0 to 1, random."""
    delay = RETRY_DELAYS[min(failures, len(RETRY_DELAYS)) - 1]
    if told is not None:
        delay = max(delay, min(told, LONGEST_WAIT))
    return now + delay * (1 + share / 4)
