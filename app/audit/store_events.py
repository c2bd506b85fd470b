"""The events about the place where segments lie."""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketUnfit(Event):
    """An alarm, once a day: what is deleted in the object store would stay, or come back."""

    name = Kind.BUCKET_UNFIT
    bucket: str
