"""Seven days later: gone from the pages, the export and the disk. The clock is libfaketime's."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.parts.network import wait_until
from tests.scenarios.service import Primary, Service, mail


def at(service: Service, later: timedelta) -> None:
    """From now on everything of this service runs that much later."""
    # What the faketime command does, without a process of its own between us and the service.
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    service.environment["LD_PRELOAD"] = str(library)
    service.environment["FAKETIME"] = f"+{int(later.total_seconds())}s"


def test_a_message_is_hidden_after_seven_days_and_noise_after_the_eighth(
    service: Service, primary: Primary, faketime: str
) -> None:
    assert faketime  # the library comes with it
    service.send(mail("Seven days"), "vlad@acme.example")
    primary.wait_for("vlad@acme.example")
    wait_until(lambda: service.waiting() == 0, "nothing is left to hand on")
    wait_until(lambda: len(service.messages()) == 1, "the message is there")
    assert service.stop() == 0
    segments = list((service.data / "objects").rglob("*.seg"))
    assert segments

    at(service, timedelta(days=7, minutes=-5))
    assert len(service.must("messages", "list", "vlad@acme.example", "--json").lines) == 1

    at(service, timedelta(days=7, seconds=5))
    service.start()
    assert service.must("messages", "list", "vlad@acme.example", "--json").lines == []
    assert exported(service) == []
    service.must("fsck")
    assert service.stop() == 0

    now = datetime.now(UTC)
    end_of_the_eighth = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=8)
    at(service, end_of_the_eighth - now + timedelta(minutes=1))
    service.start()
    today = now.date().isoformat()
    wait_until(lambda: today not in keyring_days(service), "the day's key is destroyed")
    # The sweep role does the same, but its timed wait would take a bent clock's days.
    service.must("sweep")
    assert not any(path.exists() for path in segments)
    found = service.must("fsck", "--json").lines
    assert found[0]["entries"] == found[0]["messages"] == 0
    assert service.stop() == 0


def keyring_days(service: Service) -> list[str]:
    keyring = json.loads((service.data / "keys" / "keyring.json").read_text())
    return list(keyring["days"]["mail"])


def exported(service: Service) -> list[Path]:
    out = service.folder / "out"
    service.must("messages", "export", "vlad@acme.example", "--out", str(out))
    return list(out.glob("*.eml"))
