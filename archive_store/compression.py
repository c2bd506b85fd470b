"""zstd, from the standard library where it has it (Python 3.14) and its backport before."""

import sys
import threading

from archive_store.errors import SealBroken

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEVEL = 1


class _Thread(threading.local):
    """A compressor per thread, kept: making one costs as much as a usual mail's compression."""

    def __init__(self) -> None:
        self.compressor = zstd.ZstdCompressor(LEVEL)


_here = _Thread()


def compress(octets: bytes) -> bytes:
    """One zstd frame; level 1 halves text at hundreds of MB/s."""
    return _here.compressor.compress(octets, zstd.ZstdCompressor.FLUSH_FRAME)


def decompress(packed: bytes, limit: int) -> bytes:
    """Undo `compress`; never makes more than `limit` octets (a bomb stops there)."""
    reader = zstd.ZstdDecompressor()
    try:
        octets = reader.decompress(packed, max_length=limit + 1)
    except zstd.ZstdError as error:
        raise SealBroken("a message does not decompress") from error
    if len(octets) > limit:
        raise SealBroken("a message is larger than its index row says")
    return octets
