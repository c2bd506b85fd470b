"""Overwrites what a process that takes mail keeps of it though it has let it go.

The event loop's own read buffer: uvloop reads all plain connections of a loop into one buffer of
256,000 octets that is never cleared. What a connection of our own sends through it takes the place
of a mail's octets.

And the small pieces that the C library keeps for their thread's next wish: it overwrites what is
freed (see `supervisor.WIPING`) but for those, which would cost more than all the rest.
"""

import asyncio
import contextlib
import ctypes
import socket
from collections.abc import Iterator

EVERY_SECONDS = 15.0
_OCTETS = 256 * 1024
# glibc, "Tunable parameters": seven pieces of each size, from 24 octets in steps of 16 to 1032.
_KEPT_SIZES = range(24, 1032 + 1, 16)
_KEPT_OF_EACH = 7
_libc = ctypes.CDLL(None)
_malloc, _free = _libc.malloc, _libc.free
_malloc.argtypes, _malloc.restype = (ctypes.c_size_t,), ctypes.c_void_p
_free.argtypes, _free.restype = (ctypes.c_void_p,), None


def wipe_small_pieces() -> None:
    """Overwrite the freed pieces that the C library keeps for this thread. Half a millisecond."""
    for size in _KEPT_SIZES:
        pieces = [_malloc(size) for _ in range(_KEPT_OF_EACH)]
        for piece in filter(None, pieces):
            ctypes.memset(piece, 0, size)
            _free(piece)


class _Sink(asyncio.Protocol):
    """Takes and forgets."""


@contextlib.contextmanager
def rinsing() -> Iterator[None]:
    """Do so every quarter of a minute, for as long as the context lasts."""
    task = asyncio.create_task(_rinse())
    try:
        yield
    finally:
        task.cancel()


async def _rinse() -> None:
    ours, theirs = socket.socketpair()
    # What is sent at once has to fit, so that one read fills the whole buffer.
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * _OCTETS)
    ours.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_unix_connection(_Sink, sock=theirs)
    try:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            with contextlib.suppress(BlockingIOError):
                ours.send(bytes(_OCTETS))
            wipe_small_pieces()
    finally:
        transport.close()
        ours.close()
