"""What an object store's failures mean to us; their own texts hold URLs and are never passed on."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from obstore.exceptions import AlreadyExistsError, BaseError

from archive_store.errors import FrameBroken, NotFound, StoreBusy, StoreError, StoreFull

log = logging.getLogger(__name__)
QUIET_SECONDS = 3.0  # how long nobody asks a store that did not answer
_STATUS = re.compile(r"status code: ([0-9]{3})")
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_FULL = {"QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"}


class AlreadyThere(StoreError):
    """An object that was to be created exists."""


class BucketMissing(StoreBusy):
    """There is no such bucket. Whoever keeps the object store can make it."""


class AccessRefused(StoreBusy):
    """The object store does not take our access key, or does not let it do this."""


class ClocksDiffer(StoreBusy):
    """Requests are signed with the time, and the object store's is another."""


class NoAnswer(StoreBusy):
    """The object store cannot be reached, or took too long."""


class Outage:
    """Turns failures into StoreErrors, and remembers for a moment that nothing answered.

    Else whoever stands in a queue would wait the whole time of a request, one after the other.
    """

    def __init__(self) -> None:
        self._quiet_until = 0.0
        self._told = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Around one request."""
        if monotonic() < self._quiet_until:
            raise NoAnswer("the object store did not answer a moment ago")
        try:
            yield
            self._answered()
        except AlreadyExistsError:
            raise AlreadyThere("an object of this name is there") from None
        except (BaseError, OSError) as error:
            failure = _meaning(error)
            if isinstance(failure, NoAnswer):
                self._quiet_until = monotonic() + QUIET_SECONDS
            self._failed(failure)
            raise failure from None

    def _failed(self, failure: StoreError) -> None:
        # Nobody else would say it: of an SMTP session the sender hears, of a page its reader.
        if isinstance(failure, StoreBusy | StoreFull) and not self._told:
            self._told = True
            log.warning("%s", failure)

    def _answered(self) -> None:
        if self._told:
            self._told = False
            log.warning("the object store serves again")


def _meaning(error: Exception) -> StoreError:
    text = str(error)
    status, code = _found(_STATUS, text), _found(_CODE, text)
    if code == "NoSuchBucket":
        return BucketMissing("the object store has no such bucket")
    # The 404 of anybody else, of a proxy say, must never pass for mail that is over.
    if isinstance(error, FileNotFoundError) and (code == "NoSuchKey" or not status):
        return NotFound("the octets have left with their day")
    if code == "RequestTimeTooSkewed":
        return ClocksDiffer("the clocks of this machine and of the object store differ")
    if status in ("401", "403"):
        return AccessRefused(f"the object store refuses access ({code or status})")
    if status == "416" or "Invalid range" in text:
        return FrameBroken("a segment ends before its frame does")
    if status == "507" or code in _FULL:
        return StoreFull("no room left in the object store")
    if status:
        return StoreBusy(f"the object store cannot serve now ({code or status})")
    return NoAnswer("the object store does not answer")


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
