"""A key in HashiCorp Vault's transit engine, by its HTTP API.

Each save rotates the key and takes a data key of the new version; then older versions are
trimmed away, so that no older copy of the keyring file can be opened, by anybody, ever again.
The token is read from its file at each request: whoever renews it just writes there.
"""

import base64
import http.client
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from archive_store.errors import KeyringError, MasterKeyAway

TIMEOUT_SECONDS = 5.0
_LARGEST_ANSWER = 1 << 20


@dataclass(frozen=True, slots=True)
class Vault:
    """`key`: MOUNT/NAME of a transit key that is for this keyring alone."""

    url: str
    key: str
    token_file: Path
    ca: Path | None = None
    provider: str = "vault"

    @property
    def source(self) -> str:
        return f"the key {self.key} of Vault"

    def new(self) -> tuple[bytes, Mapping[str, Any]]:
        self._ask("POST", "keys", "/rotate")
        found = self._ask("POST", "datakey/plaintext", given={"bits": 256})
        return base64.b64decode(found["plaintext"]), {"ciphertext": found["ciphertext"]}

    def again(self, header: Mapping[str, Any]) -> bytes:
        found = self._ask("POST", "decrypt", given={"ciphertext": str(header["ciphertext"])})
        return base64.b64decode(found["plaintext"])

    def retire(self, header: Mapping[str, Any]) -> None:
        """Trim all versions before the header's away."""
        match = re.match(r"vault:v([0-9]+):", str(header["ciphertext"]))
        if match is None:
            raise KeyringError("the keyring file is not a LiveArchive keyring")
        version = int(match[1])
        if int(self._ask("GET", "keys").get("min_available_version", 0)) >= version:
            return
        lowest = {"min_decryption_version": version, "min_encryption_version": version}
        self._ask("POST", "keys", "/config", given=lowest)
        self._ask("POST", "keys", "/trim", given={"min_available_version": version})

    def _ask(
        self, method: str, what: str, more: str = "", given: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        """The `data` of Vault's answer; empty when it has none (204)."""
        mount, _, name = self.key.rpartition("/")
        token = read_token(self.token_file)
        headers = {"X-Vault-Token": token, "X-Vault-Request": "true"}
        try:
            connection = self._connection()
            try:
                body = json.dumps(given) if given is not None else None
                connection.request(method, f"/v1/{mount}/{what}/{name}{more}", body, headers)
                with connection.getresponse() as answer:
                    octets = answer.read(_LARGEST_ANSWER)
            finally:
                connection.close()
        except ssl.SSLCertVerificationError as error:
            raise MasterKeyAway(
                f"the certificate of Vault at {self.url} is not believed: {error.verify_message}. "
                "MASTER_KEY_VAULT_CA names the authority that made it"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise MasterKeyAway(f"Vault at {self.url} does not answer: {reason}") from None
        if answer.status not in (200, 204):
            raise self._failure(answer.status)
        try:
            return dict((json.loads(octets) if octets else {}).get("data") or {})
        except (ValueError, AttributeError, TypeError):
            raise MasterKeyAway(f"Vault at {self.url} gives an answer that is none") from None

    def _connection(self) -> http.client.HTTPConnection:
        url = urlsplit(self.url)
        if url.scheme == "http":
            return http.client.HTTPConnection(url.hostname or "", url.port, TIMEOUT_SECONDS)
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError as error:
            reason = "no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise KeyringError(f"MASTER_KEY_VAULT_CA: {self.ca}: {reason}") from None
        return http.client.HTTPSConnection(
            url.hostname or "", url.port, timeout=TIMEOUT_SECONDS, context=context
        )

    def _failure(self, status: int) -> KeyringError:
        """The sentence for an operator; Vault's own words could quote what was sent."""
        at = f"Vault at {self.url}"
        if status == 503:
            return MasterKeyAway(f"{at} is sealed or in maintenance: unseal it")
        if status == 403:
            return MasterKeyAway(
                f"{at} refuses the token in {self.token_file}: it has expired, or its policy does "
                f"not allow this on {self.key}"
            )
        if status in (400, 404):
            return KeyringError(
                f"{at} does not open this keyring with {self.key}: the file is an older copy whose "
                "version was trimmed away, or there is no such key"
            )
        return MasterKeyAway(f"{at} answers with status {status}: is it the active node?")


def read_token(path: Path) -> str:
    """The token; MasterKeyAway while there is none, since whoever renews it may be late."""
    try:
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        token = ""
    if not token or not token.isprintable():
        raise MasterKeyAway(f"MASTER_KEY_SECRET_FILE: there is no token for Vault in {path}")
    return token
