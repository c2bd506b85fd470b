"""Segments as objects: each batch is one, `DAY/RANDOM.seg`, put whole before its 250.

Of the object store this needs five things: put, ranged get, list, delete, and a put that
creates or fails (`If-None-Match: *`). It never compares and swaps (`If-Match`): several
stores that offer it do not keep it.

An object cannot be changed in place, and a final delete must reach its wrap at once. So
the wraps stand apart (see `wraps`), in `DAY/RANDOM.wraps/NUMBER`, and an erasure

1. reads the version with the highest number,
2. creates the next one without the wraps that go (who comes second begins anew),
3. overwrites every older version with nothing.

An older version is never removed before its day: its name keeps a slow second eraser from
creating that number again, from an older reading that still has what was erased. Whoever
is killed between 2 and 3 has not ended its erasure; the next one blanks what it left.

A store that does not answer raises StoreBusy after the time of its requests; for a
moment afterwards nobody waits for it again, or those in a queue would wait in turn.
"""

import secrets
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from io import BytesIO
from typing import BinaryIO

import obstore
from obstore.store import ObjectStore

from archive_store.clock import day_named
from archive_store.errors import FrameBroken, NotFound, StoreBusy, WriteFailed
from archive_store.segments import FrameRef, KeySlot, Stretch
from archive_store.segments.object_errors import AlreadyThere, Outage
from archive_store.segments.survey import survey
from archive_store.segments.wraps import Wraps

DELETE_AT_ONCE = 1000  # the most that one request of S3 takes
ERASE_ATTEMPTS = 50  # each lost one is another eraser's success
TOO_MANY = "too many are erasing keys of one segment"


class ObjectSegments:
    """SegmentStore in an object store; for any thread."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._outage = Outage()
        self._beside = ThreadPoolExecutor(1, "wraps")  # the wraps go while the frames do

    def append(self, day: date, frames: Sequence[bytes]) -> list[FrameRef]:
        """Put a batch as one object and its wraps as another."""
        name = f"{secrets.token_hex(12)}.seg"
        refs = []
        at = 0
        for frame in frames:
            refs.append(FrameRef(day, name, at, len(frame)))
            at += len(frame)
        self._put_segment(day, name, *Wraps.parted(frames))
        return refs

    def read(self, ref: FrameRef) -> bytes:
        """One ranged get; the wraps read as zeros."""
        path = _segment(ref.day, ref.segment)
        with self._outage.watched():
            frame = obstore.get_range(self._store, path, start=ref.offset, length=ref.length)
        if len(frame) != ref.length:
            raise FrameBroken("a segment ends before its frame does")
        return bytes(frame)

    def read_with_wraps(self, ref: FrameRef) -> bytes:
        """Three requests instead of one."""
        return self._with_wraps(ref.day, ref.segment, self.read(ref), ref.offset)

    def scan(self, day: date) -> Iterator[tuple[FrameRef, bytes]]:
        """Frame by frame."""
        return ((found.ref, found.octets) for found in self.survey(day) if found.whole)

    def survey(self, day: date) -> Iterator[Stretch]:
        """Segment by segment, each in memory as a whole."""
        for name in self.names(day):
            try:
                whole = self._whole(day, name)
            except NotFound:
                continue  # its day has left since it was listed
            yield from survey(day, name, BytesIO(whole))

    def erase(self, slots: Sequence[KeySlot]) -> None:
        """Write a new version of the wraps of each segment, and blank the older ones."""
        by_segment: dict[tuple[date, str], set[int]] = {}
        for slot in slots:
            places = by_segment.setdefault((slot.frame.day, slot.frame.segment), set())
            places.add(slot.frame.offset + slot.start)
        for (day, name), places in by_segment.items():
            self._erase(day, name, places)

    def drop(self, day: date) -> None:
        """Delete all objects of a day, until none is listed."""
        while found := [path for path, _ in self._list(day.isoformat())]:
            for start in range(0, len(found), DELETE_AT_ONCE):
                with self._outage.watched():
                    obstore.delete(self._store, found[start : start + DELETE_AT_ONCE])

    def days(self) -> list[date]:
        """From the names; some stores go on naming a folder that holds nothing any more."""
        with self._outage.watched():
            names = obstore.list_with_delimiter(self._store)["common_prefixes"]
        named = [day_named(name.rpartition("/")[2]) for name in names]
        return sorted(day for day in named if day and self._holds_any(day))

    def names(self, day: date) -> list[str]:
        """The segments of a day."""
        paths = [path for path, _ in self._list(day.isoformat())]
        return sorted(path.rpartition("/")[2] for path in paths if path.endswith(".seg"))

    def take_out(self, day: date, name: str) -> Iterator[bytes]:
        """The object with its wraps put in."""
        yield self._whole(day, name)

    def put_back(self, day: date, name: str, source: BinaryIO) -> None:
        """Part the wraps from the frames again."""
        self._put_segment(day, name, *Wraps.taken_from(source.read()), fresh=False)

    def free_octets(self) -> int | None:
        """An object store knows no such limit."""
        return None

    def close(self) -> None:
        """Let go of the thread."""
        self._beside.shutdown()

    def _put_segment(
        self, day: date, name: str, octets: bytes, wraps: Wraps, *, fresh: bool = True
    ) -> None:
        """Create both objects. `fresh`: nobody else can have made one of this name."""
        beside: Future[None] | None = None
        if wraps.by_place:
            version = _version(day, name, 0)
            beside = self._beside.submit(self._create, version, wraps.encode(), fresh=fresh)
        self._create(_segment(day, name), octets, fresh=fresh)
        if beside is not None:
            beside.result()

    def _create(self, path: str, octets: bytes, *, fresh: bool) -> None:
        # Never a put that may overwrite: one that was given up can arrive late, and would
        # bring back what was erased meanwhile.
        try:
            self._put_new(path, octets)
        except AlreadyThere:
            # The first of our own requests was done, only its answer was lost.
            if not fresh or self._size(path) != len(octets):
                raise WriteFailed("an object of this name is there already") from None

    def _size(self, path: str) -> int:
        with self._outage.watched():
            return obstore.head(self._store, path)["size"]

    def _whole(self, day: date, name: str) -> bytes:
        return self._with_wraps(day, name, self._get(_segment(day, name)))

    def _with_wraps(self, day: date, name: str, octets: bytes, start: int = 0) -> bytes:
        """What lies in a segment from `start` on, with its wraps put in."""
        newest = self._newest_version(day, name)
        if newest is None:
            return octets
        try:
            return Wraps.decode(newest[1]).put_into(octets, start)
        except FrameBroken:
            return octets  # its keys are lost; what lies in the frames is told all the same

    def _erase(self, day: date, name: str, places: set[int]) -> None:
        for _ in range(ERASE_ATTEMPTS):
            newest = self._newest_version(day, name)
            if newest is None:
                return  # its day has left, or it never had any
            number, octets = newest
            left = _without(octets, places)
            if left != octets:
                try:
                    self._put_new(_version(day, name, number + 1), left)
                except AlreadyThere:
                    continue
                number += 1
            self._blank_before(day, name, number)
            return
        raise StoreBusy(TOO_MANY)

    def _blank_before(self, day: date, name: str, number: int) -> None:
        for path, size in self._list(_versions(day, name)):
            if size and _number(path) < number:
                with self._outage.watched():
                    obstore.put(self._store, path, b"", use_multipart=False)

    def _newest_version(self, day: date, name: str) -> tuple[int, bytes] | None:
        """The wraps that count, and their number; None when there is no version at all."""
        for _ in range(ERASE_ATTEMPTS):
            found = self._list(_versions(day, name))
            if not found:
                return None
            path = max((path for path, _ in found), key=_number)
            try:
                octets = self._get(path)
            except NotFound:
                continue  # its day is leaving
            if octets:  # else a newer one has come since it was listed
                return _number(path), octets
        raise StoreBusy(TOO_MANY)

    def _put_new(self, path: str, octets: bytes) -> None:
        with self._outage.watched():
            obstore.put(self._store, path, octets, mode="create", use_multipart=False)

    def _get(self, path: str) -> bytes:
        with self._outage.watched():
            return bytes(obstore.get(self._store, path).bytes())

    def _list(self, prefix: str) -> list[tuple[str, int]]:
        with self._outage.watched():
            pages = list(obstore.list(self._store, prefix))
        return [(entry["path"], entry["size"]) for page in pages for entry in page]

    def _holds_any(self, day: date) -> bool:
        with self._outage.watched():
            return bool(next(iter(obstore.list(self._store, day.isoformat())), None))


def _segment(day: date, name: str) -> str:
    return f"{day.isoformat()}/{name}"


def _versions(day: date, name: str) -> str:
    return f"{day.isoformat()}/{name.removesuffix('.seg')}.wraps"


def _version(day: date, name: str, number: int) -> str:
    return f"{_versions(day, name)}/{number:08d}"


def _number(path: str) -> int:
    return int(path.rpartition("/")[2])


def _without(octets: bytes, places: Collection[int]) -> bytes:
    """What is left of a version; of a damaged one nothing, since nobody can tell what it has."""
    try:
        wraps = Wraps.decode(octets)
    except FrameBroken:
        return Wraps({}).encode()
    left = wraps.without(places)
    return octets if left == wraps else left.encode()
