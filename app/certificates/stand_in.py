"""A certificate that nobody vouches for, served until the authority's comes.

So ports are bound and mail is taken from the first moment: most mail servers encrypt to whatever
certificate they are shown (RFC 7435), and a browser warns for the half minute that it takes.
"""

import os
import secrets
from contextlib import suppress
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.certificates.kept import STAND_IN, Kept
from app.config import Config
from archive_store.clock import utc_now
from archive_store.durable import make_folder, put_file, sync_folder
from archive_store.errors import ConfigError
from smtp_ingest.tls import CertificateFiles

LASTS = timedelta(days=90)
BEFORE = timedelta(days=1)  # clocks of others may be slow


def listeners_certificate(config: Config) -> CertificateFiles | None:
    """The files for a listener's TLS; makes the stand-in when ACME has brought none yet."""
    acme = config.acme
    if acme is not None:
        try:
            make_stand_in(Kept(acme.folder), acme.names)
        except OSError as error:
            raise ConfigError(f"DATA_DIR: {acme.folder}: {error.strerror}") from error
    return config.certificate


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key for one certificate (P-256: every client and authority takes it)."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as the listeners read it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def make_stand_in(kept: Kept, names: tuple[str, ...]) -> None:
    """Put a stand-in where no certificate is. Raises OSError."""
    if kept.current.exists():
        return
    make_folder(kept.folder)
    key, now = new_key(), utc_now()
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, STAND_IN)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEFORE)
        .not_valid_after(now + LASTS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
        .sign(key, hashes.SHA256())
    )
    mine = kept.folder / f".stand-in-{secrets.token_hex(4)}"
    put_file(mine, key_pem(key) + certificate.public_bytes(Encoding.PEM))
    try:
        # A link never replaces: another listener's stand-in, or a certificate, stays.
        with suppress(FileExistsError):
            os.link(mine, kept.current)
    finally:
        mine.unlink()
    sync_folder(kept.folder)
