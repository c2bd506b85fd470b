"""When to try again, and when to give up. Pure: same facts, same time.

The first retries come fast, since most trouble is over within a minute; then hourly.
An outage does not wait for them: what waits becomes due when the primary is back.
"""

from datetime import date, datetime, timedelta

from archive_store.clock import key_expiry

RETRY_DELAYS = tuple(timedelta(seconds=s) for s in (15, 30, 60, 120, 300, 900, 1800, 3600))
JITTER = 0.2  # the share of a delay that is left to chance, so that retries spread
KEY_MARGIN = timedelta(hours=1)


def deadline(queued_at: datetime, key_day: date, keep: timedelta) -> datetime:
    """When to give up: after `keep`, and while the key still opens the sender's address.

    The key of a day that ended long ago (the keys role was away) leaves earlier.
    """
    return min(queued_at + keep, key_expiry(key_day, keep) - KEY_MARGIN)


def next_attempt(now: datetime, attempts: int, until: datetime, jitter: float) -> datetime | None:
    """When to try again after `attempts` (1 or more); None: give up, send a DSN.

    `jitter` is 0 to 1. The last attempt falls on the deadline itself.
    """
    if now >= until:
        return None
    delay = RETRY_DELAYS[min(attempts, len(RETRY_DELAYS)) - 1]
    return min(now + delay * (1 + JITTER * (jitter - 0.5)), until)
