"""Mail and pages by TLS, from the command to the mailbox, under an authority of our own."""

import re
import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from tests.parts.network import free_port, wait_until
from tests.scenarios.conftest import template_of
from tests.scenarios.service import Service, mail


@pytest.fixture
def secured(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    service = template_of(request, "sqlite").copy(tmp_path)
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    (tmp_path / "chain.pem").write_bytes(b"".join(b.bytes() for b in issued.cert_chain_pems))
    (tmp_path / "key.pem").write_bytes(issued.private_key_pem.bytes())
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    service.environment |= {
        "LIVEARCHIVE_HTTP": "none",
        "LIVEARCHIVE_HTTPS": f"127.0.0.1:{free_port()}",
        "LIVEARCHIVE_SMTPS": f"127.0.0.1:{free_port()}",
        "LIVEARCHIVE_TLS_CERTIFICATE": str(tmp_path / "chain.pem"),
        "LIVEARCHIVE_TLS_KEY": str(tmp_path / "key.pem"),
    }
    yield service
    service.stop()


def test_mail_and_pages_go_by_tls(secured: Service, tmp_path: Path) -> None:
    secured.start()
    trust = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
    port = secured.environment["LIVEARCHIVE_SMTPS"].rpartition(":")[2]
    with smtplib.SMTP_SSL("localhost", int(port), timeout=30, context=trust) as client:
        client.sendmail("a@b.example", ["vlad@acme.example"], mail("By TLS from the start"))
    with smtplib.SMTP("localhost", secured.ports.smtp, timeout=30) as client:
        client.starttls(context=trust)
        client.sendmail("a@b.example", ["vlad@acme.example"], mail("By STARTTLS"))
    wait_until(lambda: len(secured.messages()) == 2, "both are there")

    port = secured.environment["LIVEARCHIVE_HTTPS"].rpartition(":")[2]
    address = f"https://localhost:{port}"
    host = {"host": f"127.0.0.1:{port}"}  # the address that PUBLIC_URL has by default
    page = httpx.get(f"{address}/login", verify=trust, headers=host)
    assert page.status_code == 200
    assert page.headers["strict-transport-security"]
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://localhost:{port}/login", headers=host)

    done = secured.command("check", "--json")
    [certificate] = [line for line in done.lines if line["check"] == "certificate"]
    assert certificate["verdict"] in {"ok", "warning"}
    assert re.match(r"valid until \d{4}-\d\d-\d\d", certificate["text"])


def test_half_a_certificate_stops_the_start(secured: Service, tmp_path: Path) -> None:
    (tmp_path / "key.pem").unlink()
    done = secured.command("serve")
    assert done.status == 1
    assert "TLS_CERTIFICATE, TLS_KEY" in done.error
    assert "no such file" in done.error
    assert "Traceback" not in done.error
