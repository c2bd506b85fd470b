"""The keys role's sockets: one per asking role, each with its own table of verbs.

The file permissions of a socket decide who may ask (0600; give a role's socket
to that role's uid where roles have uids of their own). A verb that is not in the
socket's table does not exist there.
"""

import json
import logging
import socketserver
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from app.keys.agent import KeyAgent
from app.keys.hold_verbs import OPENS_PER_MINUTE
from app.keys.protocol import LARGEST_LINE, encode, socket_name
from app.keys.verb_tables import Verb, verb_tables
from archive_store.errors import MasterKeyAway, StoreError

log = logging.getLogger(__name__)


class KeysServer:
    """Listens on every role's socket until closed."""

    def __init__(self, agent: KeyAgent, run_dir: Path, held_opens: int = OPENS_PER_MINUTE) -> None:
        self._servers = [
            _listen(run_dir / socket_name(role), verbs.__getitem__)
            for role, verbs in verb_tables(agent, held_opens).items()
        ]
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True)
            for server in self._servers
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop listening; answers in hand are finished."""
        # Each sees it with its next look: all at once, since every command waits for this.
        with ThreadPoolExecutor(len(self._servers)) as threads:
            list(threads.map(_Server.shutdown, self._servers))
        for server in self._servers:
            server.end()


class LockedServer:
    """While the keyring does not open: tells operators why, and nobody anything else."""

    def __init__(self, run_dir: Path) -> None:
        self.reason = MasterKeyAway("the keyring does not open yet")
        self._server = _listen(run_dir / socket_name("admin"), self._refuse)
        threading.Thread(target=self._server.serve_forever, args=(0.2,), daemon=True).start()

    def _refuse(self, _verb: str) -> Verb:
        raise self.reason

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.end()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # a Unix socket refuses at once whoever does not fit

    def __init__(self, path: Path, find: Callable[[str], Verb]) -> None:
        self.find = find
        super().__init__(str(path), _Connection)

    def end(self) -> None:
        """After its loop ended: nobody finds it any more."""
        self.server_close()
        Path(str(self.server_address)).unlink(missing_ok=True)


class _Connection(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        while line := self.rfile.readline(LARGEST_LINE):
            self.wfile.write(encode(_answer(self.server.find, line)))
            self.wfile.flush()


def _listen(path: Path, find: Callable[[str], Verb]) -> _Server:
    # A socket file that a killed process left behind would refuse the address.
    path.unlink(missing_ok=True)
    server = _Server(path, find)
    path.chmod(0o600)
    return server


def _answer(find: Callable[[str], Verb], line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
        return {"ok": find(request["verb"])(request)}
    except StoreError as error:
        return {"error": type(error).__name__, "text": str(error)}
    except Exception as error:  # the process's edge: say nothing of what was asked
        log.error("a verb failed: %s", type(error).__name__)  # noqa: TRY400 - no secrets in logs
        return {"error": "StoreError", "text": "the keys role could not do this"}
