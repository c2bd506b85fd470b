"""Senders side by side that write into the ledger what became of each mail."""

import itertools
import secrets
import smtplib
import threading
import time
from collections.abc import Sequence
from typing import Self

from bench.reliability.ledger import Ledger, octets_of
from tests.scenarios.service import Primary

AFTER_TROUBLE_SECONDS = 0.05


class Load:
    """Sends mail after mail until the block ends; goes on after whatever happens."""

    def __init__(
        self,
        port: int,
        ledger: Ledger,
        addresses: Sequence[str],
        *,
        senders: int = 4,
        pause: float = 0.01,
    ) -> None:
        self._port = port
        self._ledger = ledger
        self._addresses = addresses
        self._pause = pause
        self._tag = secrets.token_hex(4)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(senders)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, sender: int) -> None:
        numbers = itertools.count()
        while not self._stop.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self._port, timeout=60) as client:
                    client.ehlo("client.example")
                    while not self._stop.wait(self._pause):
                        name = f"mail {self._tag} {sender}-{next(numbers)}"
                        send_one(client, self._ledger, name, self._address())
            except (OSError, smtplib.SMTPException):
                time.sleep(AFTER_TROUBLE_SECONDS)

    def _address(self) -> str:
        return secrets.choice(self._addresses)


def send_one(client: smtplib.SMTP, ledger: Ledger, name: str, address: str) -> int:
    """Send one mail on an open session; its reply, noted in the ledger. Raises as smtplib does."""
    client.mail("a@b.example")
    code, _ = client.rcpt(address)
    if code != 250:
        client.rset()
        return code
    ledger.begin(name, address)
    code = 0
    try:
        code, _ = client.data(octets_of(name))
    finally:
        ledger.end(name, code)
    return code


def take_from(primary: Primary) -> list[bytes]:
    """What the primary got since this was last asked."""
    found = []
    for path in (primary.kept / "primary").rglob("*.eml"):
        found.append(path.read_bytes())
        path.unlink()
    return found
