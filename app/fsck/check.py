"""One check of the whole store, and its repair.

Segments first, since mail comes in meanwhile: whatever has a row has its frame by then.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from app.fsck.findings import Findings, Mend, Mended, Problem, Wrong
from app.fsck.frames import FrameCheck
from app.fsck.held import HeldCheck
from app.fsck.keys import KeyCheck
from app.fsck.ports import BATCH, Store
from app.fsck.rows import RowCheck
from app.fsck.torn import was_torn
from archive_store.errors import FrameBroken
from archive_store.segments import FrameRef, Stretch
from archive_store.segments.frame import KIND_KEY, KeyFrame, MessageFrame, kind_of

BATCH_OCTETS = 32 * 1024 * 1024
_FIRST = (Mended.PUT_BACK, Mended.QUARANTINED)
MOST_ROUNDS = 4


def check(store: Store) -> Findings:
    """Look at everything there is; changes nothing."""
    found = Findings()
    frames, keys = FrameCheck(store), KeyCheck(store)
    for day in store.segments.days():
        for batch in _batches(store, day):
            found.add(_check_batch(store, frames, keys, batch))
    rows = RowCheck(store, frames.seen)
    for part in (keys.rows, HeldCheck(store).check, rows.messages, rows.summaries, rows.log_lines):
        found.add(part())
    return found


def repair(store: Store, found: Findings) -> tuple[Findings, Counter[Mended]]:
    """Mend what can be mended: what is wrong afterwards, and how often what was done.

    In rounds: what the segments can put back comes first, and only what does not open then
    is taken out.
    """
    done: Counter[Mended] = Counter()
    for _ in range(MOST_ROUNDS):
        mends = [problem.mend for problem in found.problems if problem.mend is not None]
        some = [mend for mend in mends if mend.how in _FIRST] or mends
        if not some:
            break
        for mend in some:
            with store.db.write() as tx:
                mend.change(tx)
            done[mend.how] += 1
        found = check(store)
    return found, done


def _batches(store: Store, day: date) -> Iterator[list[Stretch]]:
    batch: list[Stretch] = []
    octets = 0
    for stretch in store.segments.survey(day):
        batch.append(stretch)
        octets += len(stretch.octets)
        if len(batch) >= BATCH or octets >= BATCH_OCTETS:
            yield batch
            batch, octets = [], 0
    if batch:
        yield batch


def _check_batch(
    store: Store, frames: FrameCheck, keys: KeyCheck, batch: list[Stretch]
) -> Findings:
    found = Findings()
    messages: list[tuple[FrameRef, MessageFrame]] = []
    key_frames: list[tuple[FrameRef, KeyFrame]] = []
    for stretch in batch:
        try:
            if not stretch.whole:
                _no_frame(store, stretch, found)
            elif kind_of(stretch.octets) == KIND_KEY:
                key_frames.append((stretch.ref, KeyFrame.decode(stretch.octets)))
            else:
                messages.append((stretch.ref, MessageFrame.decode(stretch.octets)))
        except FrameBroken:
            found.problems += _damaged(store, stretch)
    found.add(keys.frames(key_frames))
    found.add(frames.check(messages))
    return found


def _no_frame(store: Store, stretch: Stretch, found: Findings) -> None:
    if store.quarantine.holds(stretch.ref):
        found.quarantined += 1
    elif was_torn(store, stretch):
        found.torn_tails += 1
    else:
        found.problems += _damaged(store, stretch)


def _damaged(store: Store, stretch: Stretch) -> list[Problem]:
    if store.quarantine.holds(stretch.ref):
        return []
    ref = stretch.ref
    text = f"segment {ref.day}/{ref.segment} at {ref.offset}: {ref.length} octets are damaged"
    mend = Mend(Mended.QUARANTINED, lambda _: store.quarantine.put(ref, stretch.octets))
    return [Problem(Wrong.SEGMENT, text, mend)]
