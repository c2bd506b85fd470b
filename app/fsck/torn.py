"""Octets that are no frame: what a power cut left of a batch that got no 250, or damage.

Of what was not synced a power cut leaves each sector as it was or as it was to be, and where
a file grows it was zeros; what is sealed has no such run of them. A batch is synced, with all
that lies before it in its segment, before its rows are committed. So octets are torn when a
sector of them is zeros and no row names them or anything behind them. All else is damage.
Of a segment whose rows are lost nobody can tell: there the zeros alone decide.
"""

from sqlalchemy import select

from app.fsck.ports import Store
from archive_store.models import Message
from archive_store.seal import WRAP_OCTETS
from archive_store.segments import Stretch

SECTOR = 512
_LEAST = WRAP_OCTETS + 4  # an erased wrap is zeros, too


def was_torn(store: Store, stretch: Stretch) -> bool:
    """Whether a power cut left this, and no mail that was taken is in it."""
    return stretch.torn or (_has_hole(stretch) and not _is_named(store, stretch))


def _has_hole(stretch: Stretch) -> bool:
    """Whether one of its sectors is zeros, as far as it lies in it."""
    octets, first = stretch.octets, -(stretch.ref.offset % SECTOR)
    pieces = (octets[max(at, 0) : at + SECTOR] for at in range(first, len(octets), SECTOR))
    return any(len(piece) >= _LEAST and not any(piece) for piece in pieces)


def _is_named(store: Store, stretch: Stretch) -> bool:
    ref, end = stretch.ref, Message.frame_offset + Message.frame_length
    of_segment = Message.day == ref.day, Message.segment == ref.segment
    with store.db.read() as tx:
        found = tx.scalars(select(Message.id).where(*of_segment, end > ref.offset).limit(1))
        return found.first() is not None
