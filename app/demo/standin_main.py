"""The stand-in mail server as a process of its own.

`python -m app.demo.standin_main --primary H:P --outside H:P --control SOCKET --keep DIR` prints one
line `READY primary H:P outside H:P` when it listens, and ends with 0 on SIGTERM or SIGINT. Exit 1
with one line on standard error when a port, the socket or the folder cannot be had, 2 for wrong
usage.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from app.config_kinds import HostPort, parse_host_port
from app.demo.standin import Listener, StandIn
from app.demo.standin_api import control_app

GRACE = 2  # seconds for a control request that is under way
PARENT_CHECK = 1.0  # seconds between looks at whether the parent still lives


class CannotStart(Exception):
    """One line for a person: what could not be had, and what to do."""


class _ControlServer(uvicorn.Server):
    """uvicorn without its signal handlers: the process has one way to stop, and ends with 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(arguments: argparse.Namespace) -> None:
    """Run until a signal says otherwise."""
    standin = await _opened(arguments)
    control = _private_socket(arguments.control)
    server = _ControlServer(
        uvicorn.Config(
            control_app(standin),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE,
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    if arguments.with_parent:
        _watch_parent(server, os.getppid())
    print(f"READY primary {_where(standin.primary)} outside {_where(standin.outside)}", flush=True)  # noqa: T201 - the promise of this command
    try:
        await server.serve(sockets=[control])
    finally:
        standin.close()
        arguments.control.unlink(missing_ok=True)


async def _opened(arguments: argparse.Namespace) -> StandIn:
    try:
        standin = StandIn(arguments.keep, arguments.primary, arguments.outside, datetime.now(UTC))
    except OSError as error:
        raise CannotStart(f"cannot keep mail in {arguments.keep}: {error.strerror}") from error
    try:
        await standin.open()
    except OSError as error:
        standin.close()
        raise CannotStart(
            f"cannot listen on {arguments.primary} and {arguments.outside} ({error.strerror}):"
            " stop what uses that port, or choose another one"
        ) from error
    return standin


def _where(listener: Listener) -> str:
    return str(listener.address)


def _private_socket(path: Path) -> socket.socket:
    """A Unix socket that only this user may open, from its first instant on."""
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)  # what a killed process left behind
        control.bind(str(path))
        control.listen()  # now, so that READY is true for the control too
    except OSError as error:
        control.close()
        reason = error.strerror or error  # a path over 107 octets has no errno
        raise CannotStart(f"cannot make the control socket {path}: {reason}") from error
    finally:
        os.umask(before)
    return control


def _watch_parent(server: uvicorn.Server, parent: int) -> None:
    """Stop when the process that started this one is gone, however it went."""
    if os.getppid() == parent:
        asyncio.get_running_loop().call_later(PARENT_CHECK, _watch_parent, server, parent)
    else:
        server.should_exit = True


def _address(text: str) -> HostPort:
    try:
        return parse_host_port(text, lowest_port=0)  # 0: a port that the system chooses
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT") from error


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="standin", description=__doc__)
    parser.add_argument("--primary", type=_address, required=True, metavar="HOST:PORT")
    parser.add_argument("--outside", type=_address, required=True, metavar="HOST:PORT")
    parser.add_argument("--control", type=Path, required=True, metavar="SOCKET")
    parser.add_argument("--keep", type=Path, required=True, metavar="DIR")
    parser.add_argument("--with-parent", action="store_true", help="stop when the parent is gone")
    arguments = parser.parse_args(words)
    logging.basicConfig(level=logging.WARNING, format="standin: %(message)s")
    # It names addresses at INFO and prints message lines at DEBUG, whatever the root level is.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    try:
        asyncio.run(serve(arguments))
    except CannotStart as error:
        print(error, file=sys.stderr)  # noqa: T201 - how the failure is told
        return 3  # the status that need not be tried again, see `supervisor`
    return 0


if __name__ == "__main__":
    sys.exit(main())
