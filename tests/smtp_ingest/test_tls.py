"""The files of the certificate: refused with a line that names them, renewed while in use."""

import smtplib
import ssl
from pathlib import Path

import pytest
import trustme

from archive_store.errors import ConfigError
from smtp_ingest.tls import CertificateFiles, RenewedCertificate
from tests.smtp_ingest.doubles import RecordingDoor
from tests.smtp_ingest.running import running


def written(authority: trustme.CA, folder: Path, name: str = "127.0.0.1") -> CertificateFiles:
    issued = authority.issue_cert(name)
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return CertificateFiles(chain, key)


def served(port: int) -> bytes:
    """The certificate that a new session is shown."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo("client.example")
        client.starttls(context=ssl._create_unverified_context())
        assert isinstance(client.sock, ssl.SSLSocket)
        return client.sock.getpeercert(binary_form=True) or b""


def test_a_renewed_certificate_is_taken_while_sessions_go_on(tmp_path: Path) -> None:
    authority = trustme.CA()
    files = written(authority, tmp_path)
    context = files.context()
    watch = RenewedCertificate(files, context)
    with running(RecordingDoor(), tls=context) as server:
        first = served(server.smtp)
        assert not watch.look()
        assert served(server.smtp) == first
        written(authority, tmp_path)
        assert watch.look()
        assert served(server.smtp) != first


def test_a_pair_that_does_not_fit_leaves_the_one_in_use(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = trustme.CA()
    files = written(authority, tmp_path)
    context = files.context()
    watch = RenewedCertificate(files, context)
    with running(RecordingDoor(), tls=context) as server:
        first = served(server.smtp)
        key = files.key.read_bytes()
        written(authority, tmp_path)
        new = files.key.read_bytes()
        files.key.write_bytes(key)  # the chain is replaced, the key not yet
        assert not watch.look()
        assert "not taken yet" in caplog.text
        assert served(server.smtp) == first
        files.key.write_bytes(new)
        assert watch.look()
        assert served(server.smtp) != first


def test_missing_and_foreign_files_are_named(tmp_path: Path) -> None:
    files = CertificateFiles(tmp_path / "chain.pem", tmp_path / "key.pem")
    with pytest.raises(ConfigError, match=r"chain\.pem and .*key\.pem: no such file"):
        files.context()
    files.chain.write_text("not PEM")
    files.key.write_text("not PEM")
    with pytest.raises(ConfigError, match="not a PEM certificate and its key"):
        files.context()
    with pytest.raises(ConfigError, match="is no PEM certificate"):
        files.valid_until()


def test_a_key_under_a_passphrase_is_refused_and_asks_nobody(tmp_path: Path) -> None:
    files = written(trustme.CA(), tmp_path)
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"a passphrase"),
        )
    )
    with pytest.raises(ConfigError, match="not a PEM certificate and its key"):
        files.context()


def test_old_versions_of_tls_are_not_spoken(tmp_path: Path) -> None:
    context = written(trustme.CA(), tmp_path).context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
