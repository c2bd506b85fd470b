"""What the processes that take mail still hold after a minute of rest, read as gcore would."""

import base64
import contextlib
import secrets
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from archive_store import seal
from archive_store.directory import Owner
from archive_store.keyring import Keyring
from archive_store.models import DayKey, WriterKey
from archive_store.opening import KeyOpener
from tests.parts.network import wait_until
from tests.scenarios.conftest import template_of
from tests.scenarios.service import Service
from tests.scenarios.test_canary import canary_mail


class MovingClock:
    """A clock of the whole service that goes on by a minute when it is told."""

    def __init__(self, service: Service) -> None:
        self._file = service.folder / "clock"
        self._file.write_text("+0s\n")
        library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
        service.environment |= {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def a_minute_later(self) -> None:
        new = self._file.with_suffix(".new")
        new.write_text("+60s\n")
        new.replace(self._file)


def memory(pid: int) -> Iterator[bytes]:
    """Every region of a process that can be written to: nothing of a mail stands elsewhere."""
    with Path(f"/proc/{pid}/mem").open("rb", 0) as octets:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if rights.startswith("rw"):
                start, end = (int(address, 16) for address in span.split("-"))
                with contextlib.suppress(OSError):  # a file that is shorter than its mapping
                    octets.seek(start)
                    yield octets.read(end - start)


def held(service: Service, wanted: dict[bytes, str]) -> set[str]:
    """What of the wanted the door and its writer hold."""
    pids = [pid for pid, name in service.role_pids() if name in ("ingest", "ingest_writer")]
    assert len(pids) == 2
    return {
        name for pid in pids for part in memory(pid) for one, name in wanted.items() if one in part
    }


def keys_of(service: Service) -> dict[bytes, str]:
    """What opens mail of today: raw, and as the keyring's file has it."""
    keyring = Keyring.from_json((service.data / "keys" / "keyring.json").read_bytes())
    opener = KeyOpener(keyring)
    found: dict[bytes, str] = {}
    today = datetime.now(UTC).date()
    for days in keyring.days.values():
        found[days[today]] = "a key of the keyring"
    found |= {keyring.directory_seed: "the directory key", keyring.audit_seed: "the audit key"}
    found |= {base64.b64encode(key): f"{name} (base64)" for key, name in found.items()}
    with service.parts() as (parts, _), parts.db.read() as tx:
        for row in tx.scalars(select(DayKey).where(DayKey.day == today)):
            owner, kek = Owner(row.series, row.tenant_id, row.owner_id), keyring.kek
            place = owner.place(keyring.installation, "day-key", row.day)
            private = seal.unwrap_kek(kek(row.series, row.day), row.private, place)
            found |= {private[:64]: "a private day key", private[64:]: "a private day key"}
        for key, row in tx.execute(select(WriterKey, DayKey).join(DayKey)):
            owner = Owner(row.series, row.tenant_id, row.owner_id)
            found[opener.writer_key(tx, owner, key.id)] = "a writer key"
    return found


@contextlib.contextmanager
def unfinished(service: Service, octets: bytes) -> Iterator[None]:
    """A mail whose end does not come."""
    with smtplib.SMTP("127.0.0.1", service.ports.smtp, timeout=60) as client:
        client.ehlo("client.example")
        client.mail("a@b.example")
        client.rcpt("vlad@acme.example")
        assert client.docmd("DATA")[0] == 354
        client.send(octets)
        yield
        client.close()


def test_the_processes_that_take_mail_hold_no_mail_and_no_key_after_a_minute_of_rest(
    request: pytest.FixtureRequest, tmp_path: Path, faketime: str
) -> None:
    assert faketime  # the library comes with it
    service = template_of(request, "sqlite").copy(tmp_path)
    clock = MovingClock(service)
    words = [f"kx{secrets.token_hex(8)}" for _ in range(3)]
    wanted = {word.encode(): "mail that was stored" for word in words[:2]}
    wanted[words[2].encode()] = "mail that was not finished"
    service.start("--role", "keys,ingest")
    try:
        service.send(canary_mail(words[0]), "vlad@acme.example", "maria@acme.example")
        service.send(canary_mail(words[1]) + 20_000 * f"{words[1]} again\r\n".encode())
        keys = keys_of(service)
        with unfinished(service, canary_mail(words[2])):
            expected = {"mail that was not finished", "a writer key"}
            wait_until(
                lambda: expected <= held(service, wanted | keys), "a scan sees what is there"
            )
        clock.a_minute_later()
        wait_until(lambda: not held(service, wanted | keys), "nothing is held")
    finally:
        service.stop()
