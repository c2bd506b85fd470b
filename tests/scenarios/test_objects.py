"""Segments in a bucket: what the whole product does when its object store is wrong or away."""

import collections
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.parts.network import wait_until
from tests.parts.seaweedfs import SECRET_KEY, SeaweedFS, environment_of
from tests.scenarios.conftest import installation, template_of
from tests.scenarios.service import Primary, Service, mail, signed_in
from tests.scenarios.test_clock import at
from tests.scenarios.test_faults import code_of_sending, refused
from tests.scenarios.test_kill import Load

MARIA = "maria@acme.example"  # the load goes to another mailbox

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def made(
    request: pytest.FixtureRequest, tmp_path: Path, own_seaweedfs: SeaweedFS
) -> Iterator[Service]:
    """An installation whose object store the test may kill and freeze."""
    service = template_of(request, "postgresql").copy(tmp_path)
    service.environment |= environment_of(own_seaweedfs.config())
    service.environment["LIVEARCHIVE_OBJECTS_TIMEOUT"] = "2"
    yield service
    service.stop()


def is_listed(reader: httpx.Client) -> bool:
    return "Before the outage" in reader.get("/mail/inbox").text


def original(service: Service, subject: str) -> str:
    """Where a page gives out the octets of a message."""
    wait_until(lambda: [one.subject for one in service.messages(MARIA)] == [subject], "it is there")
    return f"/mail/inbox/{service.messages(MARIA)[0].id}/original"


def test_an_object_store_that_is_away_keeps_mail_at_its_sender_and_comes_back_by_itself(
    service: Service, primary: Primary, own_seaweedfs: SeaweedFS
) -> None:
    octets = mail("Before the outage")
    service.send(octets, MARIA)
    page = original(service, "Before the outage")
    with closing(signed_in(service, MARIA)) as reader:
        wait_until(lambda: is_listed(reader), "it is listed")
        with Load(service) as load:
            wait_until(lambda: len(load.acknowledged) > 10, "there is some load")
            own_seaweedfs.kill()
            wait_until(lambda: code_of_sending(service) == 451, "mail stays at its sender")
        answer = reader.get(page)
        assert answer.status_code == 503
        assert "Try again in a minute" in answer.text
        assert is_listed(reader)  # that needs no segment
        own_seaweedfs.run()
        wait_until(lambda: code_of_sending(service) == 250, "mail is taken again")
        wait_until(lambda: reader.get(page).content == octets, "it is read again")
    own_seaweedfs.freeze()
    wait_until(lambda: code_of_sending(service) == 451, "nobody waits for ever")
    own_seaweedfs.thaw()
    wait_until(lambda: code_of_sending(service) == 250, "mail is taken again")
    found = collections.Counter(one.subject for one in service.messages())
    assert {name: found[name] for name in load.acknowledged} == dict.fromkeys(load.acknowledged, 1)
    service.must("fsck")
    wait_until(lambda: service.waiting() == 0, "everything is handed on", 120)
    arrived = {one.partition(b"Subject: ")[2].split(b"\r\n")[0] for one in primary.all()}
    assert {name.encode() for name in load.acknowledged} <= arrived
    log = service.log.read_text()
    assert "the object store does not answer" in log
    assert "the object store serves again" in log
    assert SECRET_KEY not in log


@pytest.fixture
def not_started(
    request: pytest.FixtureRequest, tmp_path: Path, seaweedfs: SeaweedFS
) -> Iterator[Service]:
    """An installation with segments in a bucket, for settings that do not fit it."""
    service = installation(request, "sqlite+s3", tmp_path)
    yield service
    service.stop()


def test_a_key_that_is_refused_stops_the_start_and_is_not_quoted(not_started: Service) -> None:
    not_started.environment["LIVEARCHIVE_OBJECTS_SECRET_KEY"] = "canary-of-a-key"
    error = refused(not_started).error
    assert re.search(r"LIVEARCHIVE_OBJECTS_SECRET_KEY.*refuses.*SignatureDoesNotMatch", error)
    assert "canary-of-a-key" not in error


def test_a_clock_that_the_object_store_does_not_believe_is_told(
    not_started: Service, faketime: str
) -> None:
    assert faketime  # the library comes with it
    assert "segments: bucket tests takes objects" in not_started.command("check").out
    at(not_started, timedelta(hours=1))
    assert re.search("failed +segments: .*clocks .* differ", not_started.command("check").out)
