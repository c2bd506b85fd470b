"""What the doctor says of a domain."""

import socket
from pathlib import Path

import pytest

from app.checkup import Verdict, _primary, _scanner
from app.config import Config
from app.models import Domain
from tests.parts.clamav import Clamav


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


def test_it_is_said_whether_clamd_answers(clamav: Clamav, tmp_path: Path) -> None:
    found = {}
    for where in ("", str(clamav.where), str(clamav.socket), str(tmp_path / "nobody")):
        config = Config.load({"LIVEARCHIVE_CLAMD": where, "LIVEARCHIVE_DATA_DIR": str(tmp_path)})
        found[where] = [(one.verdict, one.text) for one in _scanner(config)]
    assert found[""] == []
    for where in (str(clamav.where), str(clamav.socket)):
        [(verdict, text)] = found[where]
        assert (verdict, text[:6]) == (Verdict.OK, "ClamAV")
    [(verdict, text)] = found[str(tmp_path / "nobody")]
    assert verdict is Verdict.FAILED
    assert "mail is not checked for viruses" in text
