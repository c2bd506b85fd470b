"""The sweep role: retention, at start and every hour."""

import logging
import sys

from app.audit.alarms import look_for_overdue, raise_alarm
from app.audit.events import BucketUnfit as BucketUnfitEvent
from app.retention import sweep
from app.roles.process import Role, run_role
from app.wiring import Parts
from archive_store.clock import utc_now
from archive_store.errors import StoreError
from archive_store.segments.choice import examine_segments
from archive_store.segments.s3 import BucketUnfit

log = logging.getLogger(__name__)
FIRST_SECONDS = 5.0  # the other roles are up by then
EVERY_SECONDS = 3600.0
TROUBLE_SECONDS = 60.0


def main(role: Role) -> None:
    """Sweep now and then."""
    parts = Parts(role.config, role.name)
    keys = parts.keys()
    role.ready()
    pause = FIRST_SECONDS
    try:
        while not role.stop.wait(pause):
            try:
                # First: when the keys role is away, nothing comes after this.
                look_for_overdue(parts.db, role.name, utc_now())
                look_at_bucket(parts, role.name)
                sweep(parts, keys)
                pause = EVERY_SECONDS
            except StoreError as error:
                log.warning("the sweep has to wait: %s", error)
                pause = TROUBLE_SECONDS
    finally:
        keys.close()
        parts.close()


def look_at_bucket(parts: Parts, role: str) -> None:
    """Raise the alarm when somebody has changed the bucket so that it is no longer fit."""
    place = parts.store.object_store
    if place is None:
        return
    try:
        examine_segments(parts.store)
    except BucketUnfit:
        raise_alarm(parts.db, BucketUnfitEvent(bucket=place.bucket), role, utc_now())
    except StoreError as error:  # keys are destroyed all the same
        log.warning("the object store could not be tried out: %s", error)


if __name__ == "__main__":
    sys.exit(run_role("sweep", main))
