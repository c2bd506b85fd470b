"""The certificate of the listeners, and how a renewed one is taken without a restart.

A certificate lives 90 days and less; whoever renews it (certbot, lego, an operator) replaces the
files. Sessions that go on keep theirs, new ones get the new one. Until both files fit together
again the one in use stays.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from archive_store.errors import ConfigError

LOOK_SECONDS = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A chain and its private key, both PEM (RFC 7468); the key without a passphrase."""

    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """A server's context: TLS 1.2 or newer (RFC 8996). Raises ConfigError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            self.load_into(context)
        except OSError as error:  # ssl.SSLError is one
            reason = "they are not a PEM certificate and its key"
            if not isinstance(error, ssl.SSLError):
                reason = (error.strerror or "cannot be read").lower()
            names = f"{self.chain} and {self.key}"
            raise ConfigError(f"TLS_CERTIFICATE, TLS_KEY: {names}: {reason}") from None
        return context

    def load_into(self, context: ssl.SSLContext) -> None:
        """Give a context the pair as it is on the disk now. Raises OSError."""
        # Without a callback OpenSSL would ask for a passphrase on the terminal, and wait.
        context.load_cert_chain(self.chain, self.key, password=lambda: b"")

    def valid_until(self) -> datetime:
        """When the first certificate of the chain ends. Raises ConfigError."""
        try:
            first, *_ = x509.load_pem_x509_certificates(self.chain.read_bytes())
        except (OSError, ValueError):
            raise ConfigError(f"TLS_CERTIFICATE: {self.chain} is no PEM certificate") from None
        return first.not_valid_after_utc

    def stamp(self) -> tuple[int, ...]:
        """Changes when one of the files does; empty while one cannot be seen."""
        try:
            seen = [path.stat() for path in (self.chain, self.key)]
        except OSError:
            return ()
        return tuple(
            number for one in seen for number in (one.st_mtime_ns, one.st_ino, one.st_size)
        )


class RenewedCertificate:
    """Watches the files behind contexts that are in use."""

    def __init__(self, files: CertificateFiles, *contexts: ssl.SSLContext) -> None:
        self._files = files
        self._contexts = contexts
        self._stamp = files.stamp()

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> bool:
        """Take what is new, if it fits together; say whether anything was taken."""
        stamp = self._files.stamp()
        if stamp in ((), self._stamp):
            return False
        try:
            self._files.context()  # a pair that does not fit must not reach a context in use
            for context in self._contexts:
                self._files.load_into(context)
        except (ConfigError, OSError) as error:
            log.warning("the renewed certificate is not taken yet: %s", error)
            return False
        self._stamp = stamp
        log.info("took the renewed certificate")
        return True


@contextlib.contextmanager
def renewing(files: CertificateFiles | None, *contexts: ssl.SSLContext | None) -> Iterator[None]:
    """While the block runs, give the contexts each renewed certificate."""
    in_use = [context for context in contexts if context is not None]
    if files is None or not in_use:
        yield
        return
    watching = asyncio.create_task(RenewedCertificate(files, *in_use).watch())
    try:
        yield
    finally:
        watching.cancel()
