"""The certificate by ACME, from the command to what clients are shown, by a real authority."""

import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from tests.parts.network import free_port, wait_until
from tests.parts.pebble import Pebble
from tests.scenarios.conftest import template_of
from tests.scenarios.service import Service

NAME = "mail.acme.example"


@pytest.fixture
def by_acme(request: pytest.FixtureRequest, tmp_path: Path, pebble: Pebble) -> Iterator[Service]:
    service = template_of(request, "sqlite").copy(tmp_path)
    service.environment |= {
        "LIVEARCHIVE_HTTP": "none",
        "LIVEARCHIVE_HTTPS": f"127.0.0.1:{free_port()}",
        "LIVEARCHIVE_ACME_NAMES": NAME,
        "LIVEARCHIVE_ACME_AGREE_TERMS": "yes",
        "LIVEARCHIVE_ACME_DIRECTORY": pebble.directory,
        "LIVEARCHIVE_ACME_AUTHORITIES": str(pebble.authorities),
        "LIVEARCHIVE_ACME_HTTP": f"127.0.0.1:{pebble.http_port}",
        "LIVEARCHIVE_ACME_CONTACT": "postmaster@acme.example",
    }
    yield service
    service.stop()


def https_port(service: Service) -> int:
    return int(service.environment["LIVEARCHIVE_HTTPS"].rpartition(":")[2])


def serial_of(octets: bytes | None) -> int:
    return x509.load_der_x509_certificate(octets or b"").serial_number


def by_starttls(service: Service, trust: ssl.SSLContext) -> smtplib.SMTP:
    client = smtplib.SMTP("127.0.0.1", service.ports.smtp, timeout=30)
    vars(client)["_host"] = NAME  # the name that the certificate is checked for
    client.starttls(context=trust)
    return client


def shown(service: Service, trust: ssl.SSLContext) -> set[int]:
    """The serial numbers that the pages and STARTTLS show to a client that checks."""
    with by_starttls(service, trust) as client:
        assert isinstance(client.sock, ssl.SSLSocket)
        by_mail = serial_of(client.sock.getpeercert(binary_form=True))
    return {by_mail, serial_of(by_pages(service, trust))}


def by_pages(service: Service, trust: ssl.SSLContext) -> bytes | None:
    with httpx.Client(verify=trust) as client:
        where = f"https://127.0.0.1:{https_port(service)}/login"
        host = {"host": f"{NAME}:{https_port(service)}"}
        with client.stream("GET", where, headers=host, extensions={"sni_hostname": NAME}) as page:
            assert page.status_code == 200
            tls = page.extensions["network_stream"].get_extra_info("ssl_object")
            found: bytes | None = tls.getpeercert(True)
            return found


def wait_for_taken(service: Service, times: int) -> None:
    """Wait until each of the two listeners has taken a new certificate so often."""
    taken = "took the renewed certificate"
    wait_until(lambda: service.log.read_text().count(taken) == 2 * times, f"{taken} {times}")


def test_a_certificate_comes_and_is_renewed_while_sessions_go_on(
    by_acme: Service, pebble: Pebble
) -> None:
    trust = ssl.create_default_context(cadata=pebble.root())
    by_acme.start("--role", "keys,ingest,web,certificate")
    wait_for_taken(by_acme, 1)  # until then they show a stand-in
    [first] = shown(by_acme, trust)
    with by_starttls(by_acme, trust) as session:
        done = by_acme.must("certificate", "renew")
        assert f"a new certificate for {NAME}" in done.out
        wait_for_taken(by_acme, 2)
        assert session.noop()[0] == 250  # the session that began with the old one goes on
    [second] = shown(by_acme, trust)
    assert second != first
    plain = httpx.get(f"http://127.0.0.1:{pebble.http_port}/m/1?x=2", headers={"host": "evil"})
    assert plain.status_code == 301
    assert plain.headers["location"] == f"https://{NAME}:{https_port(by_acme)}/m/1?x=2"
    folder = by_acme.data / "certificate"
    assert {f"{path.stat().st_mode & 0o777:o}" for path in folder.iterdir()} == {"600"}
    assert "PRIVATE KEY" not in by_acme.log.read_text()
