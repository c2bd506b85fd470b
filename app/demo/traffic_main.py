"""The sample traffic as a process of its own.

`python -m app.demo.traffic_main --smtp H:P --data DIR [--seed TEXT] [--pace LOW-HIGH] [--most N]`
sends until SIGTERM or SIGINT, then ends with 0 within the time of one SMTP session.
"""

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from threading import Event, Thread

from app.config_kinds import HostPort, parse_host_port
from app.demo.traffic.postman import Plan, run_traffic

PARENT_CHECK = 1.0  # seconds between looks at whether the parent still lives


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="traffic", description=__doc__)
    parser.add_argument("--smtp", type=_address, required=True, metavar="HOST:PORT")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seed", default="harbour")
    parser.add_argument("--pace", type=_pace, default=(20.0, 60.0), metavar="LOW-HIGH")
    parser.add_argument("--most", type=int, help="letters to send after the first batch")
    parser.add_argument("--with-parent", action="store_true", help="stop when the parent is gone")
    given = parser.parse_args(words)
    logging.basicConfig(level=logging.WARNING, format="traffic: %(message)s")
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if given.with_parent:
        Thread(target=_watch_parent, args=(stop, os.getppid()), daemon=True).start()
    smtp = (given.smtp.host, given.smtp.port)
    run_traffic(Plan(smtp, given.data, given.seed, given.pace, given.most), stop)
    return 0


def _watch_parent(stop: Event, parent: int) -> None:
    """Stop when the process that started this one is gone, however it went."""
    while not stop.wait(PARENT_CHECK):
        if os.getppid() != parent:
            stop.set()


def _address(text: str) -> HostPort:
    try:
        return parse_host_port(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT") from error


def _pace(text: str) -> tuple[float, float]:
    try:
        low, high = map(float, text.split("-"))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not LOW-HIGH, in seconds") from error
    return low, high


if __name__ == "__main__":
    sys.exit(main())
