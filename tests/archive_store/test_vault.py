"""The keyring under Vault's transit engine, against answers as its API documentation has them."""

import base64
import json
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from archive_store.config import MasterKeyConfig
from archive_store.errors import KeyringError, MasterKeyAway
from archive_store.keyring import Keyring, KeyringFile
from archive_store.masterkey import master_key
from archive_store.vault import Vault

TOKEN = "hvs.token"


class Transit(BaseHTTPRequestHandler):
    """One transit key, with versions that can be trimmed away."""

    versions: dict[int, dict[str, str]]
    latest: int
    sealed: bool

    def do_GET(self) -> None:
        self._answer({"latest_version": self.latest, "min_available_version": min(self.versions)})

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        what = self.path.removeprefix("/v1/transit/")
        here = type(self)
        if what == "keys/livearchive/rotate":
            here.latest += 1
            here.versions[here.latest] = {}
            self._answer(None)
        elif what == "datakey/plaintext/livearchive":
            key = base64.b64encode(os.urandom(given["bits"] // 8)).decode()
            sealed = f"vault:v{here.latest}:{base64.b64encode(os.urandom(30)).decode()}"
            here.versions[here.latest][sealed] = key
            self._answer({"plaintext": key, "ciphertext": sealed})
        elif what == "decrypt/livearchive":
            version = int(given["ciphertext"].split(":")[1][1:])
            found = self.versions.get(version, {}).get(given["ciphertext"])
            self._answer({"plaintext": found}, 200 if found else 400)
        elif what == "keys/livearchive/trim":
            kept = {n: v for n, v in self.versions.items() if n >= given["min_available_version"]}
            here.versions = kept
            self._answer(None)
        else:
            assert what == "keys/livearchive/config"
            assert given["min_decryption_version"] == given["min_encryption_version"]
            self._answer(None)

    def _answer(self, data: dict[str, Any] | None, status: int = 200) -> None:
        if self.sealed:
            status, data = 503, None
        elif self.headers["X-Vault-Token"] != TOKEN:
            status, data = 403, None
        body = json.dumps({"data": data} if status == 200 else {"errors": ["said"]}).encode()
        self.send_response(204 if status == 200 and data is None else status)
        self.end_headers()
        if not (status == 200 and data is None):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def transit() -> Iterator[tuple[type[Transit], str]]:
    with serving(None) as served:
        yield served


@contextmanager
def serving(tls: ssl.SSLContext | None) -> Iterator[tuple[type[Transit], str]]:
    handler = type("Fresh", (Transit,), {"versions": {1: {}}, "latest": 1, "sealed": False})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield handler, f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def file_at(url: str, folder: Path, token: str = TOKEN) -> KeyringFile:
    (folder / "token").write_text(f"{token}\n")
    vault = Vault(url, "transit/livearchive", folder / "token")
    return KeyringFile(folder / "keyring.json", vault)


def test_an_older_copy_of_the_file_opens_no_more(
    transit: tuple[type[Transit], str], tmp_path: Path
) -> None:
    file, keyring = file_at(transit[1], tmp_path), Keyring.generate()
    file.save(keyring)
    assert file.load() == keyring
    older = file.path.read_bytes()
    file.save(keyring)
    assert file.load() == keyring
    file.path.chmod(0o600)
    file.path.write_bytes(older)
    with pytest.raises(KeyringError, match="older copy") as caught:
        file.load()
    assert not isinstance(caught.value, MasterKeyAway)


def test_a_save_that_ended_before_the_trim_is_finished_later(
    transit: tuple[type[Transit], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, keyring = file_at(transit[1], tmp_path), Keyring.generate()
    with monkeypatch.context() as crash:
        crash.setattr(Vault, "retire", lambda *_: None)
        file.save(keyring)
        file.save(keyring)
    assert len(transit[0].versions) == 3
    file.settle()
    assert list(transit[0].versions) == [3]
    assert file.load() == keyring


def test_a_vault_in_trouble_is_told_in_one_sentence_and_may_come_back(
    transit: tuple[type[Transit], str], tmp_path: Path
) -> None:
    file, keyring = file_at(transit[1], tmp_path), Keyring.generate()
    file.save(keyring)
    transit[0].sealed = True
    with pytest.raises(MasterKeyAway, match="is sealed"):
        file.load()
    transit[0].sealed = False
    with pytest.raises(MasterKeyAway, match=r"refuses the token in .*token: it has expired"):
        file_at(transit[1], tmp_path, "hvs.old").load()
    with pytest.raises(MasterKeyAway, match="there is no token"):
        file_at(transit[1], tmp_path, "").load()
    with pytest.raises(MasterKeyAway, match="does not answer"):
        file_at("http://127.0.0.1:9", tmp_path).load()
    assert file_at(transit[1], tmp_path).load() == keyring


def over_tls(url: str, folder: Path, ca: Path | None) -> KeyringFile:
    (folder / "token").write_text(TOKEN)
    config = MasterKeyConfig(
        provider="vault",
        secret_file=folder / "token",
        vault_url=url,
        vault_key="transit/livearchive",
        vault_ca=ca,
    )
    return KeyringFile(folder / "keyring.json", master_key(config))


def test_vault_s_own_authority_is_believed_and_no_other(tmp_path: Path) -> None:
    ours, another, keyring = trustme.CA(), trustme.CA(), Keyring.generate()
    for name, authority in (("ours", ours), ("another", another)):
        authority.cert_pem.write_to_path(tmp_path / name)
    (tmp_path / "empty").touch()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.issue_cert("127.0.0.1").configure_cert(tls)
    with serving(tls) as (_, url):
        file = over_tls(url, tmp_path, tmp_path / "ours")
        file.save(keyring)
        assert file.load() == keyring
        for wrong in (None, tmp_path / "another"):  # None: those of the system
            with pytest.raises(MasterKeyAway, match=r"is not believed.*MASTER_KEY_VAULT_CA"):
                over_tls(url, tmp_path, wrong).load()
        named_otherwise = url.replace("127.0.0.1", "localhost")
        with pytest.raises(MasterKeyAway, match="is not believed: Hostname mismatch"):
            over_tls(named_otherwise, tmp_path, tmp_path / "ours").load()
        for unfit in ("nowhere", "empty"):
            with pytest.raises(KeyringError, match=f"MASTER_KEY_VAULT_CA: .*{unfit}"):
                over_tls(url, tmp_path, tmp_path / unfit).load()
        assert over_tls(url, tmp_path, tmp_path / "ours").load() == keyring
