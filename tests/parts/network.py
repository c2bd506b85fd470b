"""Ports of this machine for servers under test, and waiting until they answer."""

import os
import random
import socket
import time
from collections.abc import Callable

# Below the range that the kernel hands out to clients, so that no connection of another test
# takes the port between our look and the server's start.
_PORTS = range(20_000, 32_000)
_next = random.Random(os.getpid()).randrange(len(_PORTS))


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nobody listens now; never the same one twice in a row."""
    global _next  # noqa: PLW0603 - one counter for the whole process is the point
    for _ in _PORTS:
        port = _PORTS[_next]
        _next = (_next + 1) % len(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port on 127.0.0.1")


def listens(port: int) -> bool:
    """Whether something accepts connections on a port of 127.0.0.1."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


def wait_until(true: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Poll until something is true; a generous limit, since the machine may be busy."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds:.0f} s still not: {what}")
        time.sleep(0.02)


def wait_for_port(port: int, what: str = "a server", seconds: float = 60) -> None:
    """Wait until a port of 127.0.0.1 accepts connections."""
    wait_until(lambda: listens(port), f"{what} on port {port}", seconds)
