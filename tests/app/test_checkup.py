"""What the doctor says of a domain."""

import socket

import pytest

from app.checkup import Verdict, _primary
from app.models import Domain


@pytest.mark.parametrize(
    ("tls", "told"),
    [
        ("may", "with TLS where it offers it, else in clear"),
        ("encrypt", "always with TLS"),
        ("verify", "always with TLS and a valid certificate"),
    ],
)
def test_a_primary_that_answers_is_told_with_its_tls(tls: str, told: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        domain = Domain(name="a.example", relay_host="127.0.0.1", relay_port=port, relay_tls=tls)
        found = _primary(domain)
    assert found.verdict is Verdict.OK
    assert found.text == f"primary 127.0.0.1:{port} answers; {told}"
