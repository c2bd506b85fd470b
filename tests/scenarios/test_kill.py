"""kill -9 at any moment: what got its 250 is there exactly once and opens."""

import collections
import random
import secrets
import smtplib
import threading
import time

import pytest

from tests.parts.network import wait_until
from tests.scenarios.conftest import FARTHEST
from tests.scenarios.service import Primary, Service, mail

SECONDS = 8.0
SENDERS = 4
VICTIMS = ("keys", "ingest", "ingest_writer", "index", "deliver", "web", "sweep")

pytestmark = pytest.mark.timeout(400)
both = pytest.mark.parametrize("made", FARTHEST, indirect=True)


class Load:
    """Senders that remember what was acknowledged; what was not is never sent again."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._tag = secrets.token_hex(3)
        self._stop = threading.Event()
        self.acknowledged: list[str] = []
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(SENDERS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, sender: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            name = f"load {self._tag} {sender}-{number}"
            try:
                self._service.send(mail(name, f"{name}\r\n" * 50), "vlad@acme.example")
            except (OSError, smtplib.SMTPException):
                time.sleep(0.05)
                continue
            self.acknowledged.append(name)
            time.sleep(0.05)  # enough to be killed in the midst of; all of it is read back later


@both
def test_every_acknowledged_mail_is_there_once_after_roles_were_killed(
    service: Service, primary: Primary
) -> None:
    dice = random.Random(4711)
    with Load(service) as load:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(dice.uniform(0.3, 1.2))
            service.kill_role(dice.choice(VICTIMS))
        wait_until(lambda: len(load.acknowledged) > 20, "there was some load")
    check(service, load.acknowledged)
    # Each was queued in the same commit, so each reaches the primary; SMTP may make that twice.
    wait_until(lambda: service.waiting() == 0, "everything is handed on", 120)
    arrived = {octets.partition(b"Subject: ")[2].split(b"\r\n")[0] for octets in primary.all()}
    assert {name.encode() for name in load.acknowledged} <= arrived


@both
def test_every_acknowledged_mail_is_there_once_after_all_was_killed(service: Service) -> None:
    for _ in range(2):
        with Load(service) as load:
            wait_until(lambda: len(load.acknowledged) > 10, "there was some load")
            service.kill()
        service.start()
        check(service, load.acknowledged)


def check(service: Service, acknowledged: list[str]) -> None:
    found = collections.Counter(one.subject for one in service.messages())
    assert {name: found[name] for name in acknowledged} == dict.fromkeys(acknowledged, 1)
    service.must("fsck")
    for octets in service.export().values():
        header, body = octets.split(b"\r\n\r\n", 1)
        name = next(line for line in header.split(b"\r\n") if line.startswith(b"Subject: "))[9:]
        assert body == (name + b"\r\n") * 50
