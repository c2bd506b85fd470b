"""Where the settings say that segments lie: in a folder, or in an object store."""

import contextlib
from dataclasses import replace
from datetime import timedelta

from archive_store.config import StoreConfig
from archive_store.segments import SegmentStore
from archive_store.segments.local import LocalSegments
from archive_store.segments.objects import ObjectSegments
from archive_store.segments.s3 import examine_bucket, open_bucket

EXAMINE_SECONDS = 5


def open_segments(config: StoreConfig) -> SegmentStore:
    """A store for one writing thread, or for any readers."""
    if config.object_store is not None:
        return ObjectSegments(open_bucket(config.object_store))
    return LocalSegments(config.objects_dir, config.segment_bytes)


def open_hold_segments(config: StoreConfig, hold_id: bytes) -> SegmentStore:
    """The segments of one legal hold: beside those of the days, and no day's."""
    name = f"held/{hold_id.hex()}"
    if config.object_store is not None:
        prefix = f"{config.object_store.prefix}/{name}".lstrip("/")
        return ObjectSegments(open_bucket(replace(config.object_store, prefix=prefix)))
    return LocalSegments(config.objects_dir / name, config.segment_bytes)


def drop_hold_segments(config: StoreConfig, hold_id: bytes) -> None:
    """Remove all of a hold's segments; what is gone already is no error."""
    segments = open_hold_segments(config, hold_id)
    try:
        for day in segments.days():
            segments.drop(day)
    finally:
        segments.close()
    if config.object_store is None:
        with contextlib.suppress(FileNotFoundError):
            (config.objects_dir / "held" / hold_id.hex()).rmdir()


def examine_segments(config: StoreConfig) -> None:
    """Whether the place is fit for mail, as far as it can be told; a folder always is.

    ConfigError: it is not; StoreBusy: it does not answer now.
    """
    if config.object_store is not None:
        patience = min(config.object_store.timeout, timedelta(seconds=EXAMINE_SECONDS))
        examine_bucket(replace(config.object_store, timeout=patience))
