"""Asks every route as everybody about everybody's things: `python -m tests.app.matrix`."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from archive_store.mime.worker import ParserPool
from tests.app.conftest import World
from tests.app.matrix.cells import Matrix
from tests.app.matrix.estate import Estate


def main() -> int:
    with ParserPool() as parsers:
        world = World(Path(tempfile.mkdtemp(prefix="la-")), "", parsers)
        matrix = Matrix(Estate(world))
        began = time.monotonic()
        outcome = asyncio.run(matrix.run())
        took = time.monotonic() - began
        world.close().join()
    routes, callers = len(matrix.estate.lines), len(matrix.callers)
    print(*outcome.wrong, sep="\n")
    print(f"{routes} routes, {callers} callers: {outcome.cells} cells, ", end="")
    print(f"{len(outcome.wrong)} wrong, {took:.1f} s")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
