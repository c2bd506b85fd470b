"""Getting a certificate from a real authority (Pebble), and what becomes of every trouble."""

import asyncio
import errno
import http.server
import json
import os
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme
from acme import client
from cryptography import x509

from app.certificates.authority import Authority
from app.certificates.config import AcmeConfig
from app.certificates.kept import Held, Kept, State
from app.certificates.port80 import Answers, Port80
from app.certificates.renewal import Renewal
from app.certificates.stand_in import make_stand_in
from app.config_kinds import HostPort
from archive_store.clock import utc_now
from tests.parts.network import free_port
from tests.parts.pebble import Pebble
from tests.parts.process import server_folder

NAMES = ("mail.acme.example", "smtp.acme.example")


@dataclass
class Told:
    """What the audit trail would be told."""

    events: list[str] = field(default_factory=list)

    def issued(self, names: tuple[str, ...], ends: datetime) -> None:
        self.events.append("issued")

    def failed(self, names: tuple[str, ...], trouble: str) -> None:
        self.events.append(trouble)


@dataclass
class Role:
    """What the certificate role is made of."""

    config: AcmeConfig
    told: Told = field(default_factory=Told)
    answers: Answers = field(default_factory=Answers)

    def __post_init__(self) -> None:
        self.kept = Kept(self.config.folder)
        make_stand_in(self.kept, self.config.names)
        self.renewal = Renewal(self.config, self.kept, self.answers, self.authority, self.told)

    def authority(self) -> Authority:
        return Authority(self.config, self.kept, self.answers)

    def held(self) -> Held:
        held = self.kept.held()
        assert held is not None
        return held

    def look(self, later: timedelta = timedelta()) -> State:
        self.renewal.look(utc_now() + later)
        return self.kept.state()


@contextmanager
def listening(role: Role, port: int) -> Iterator[None]:
    """Answer on the port that the authority asks."""
    loop, ended = asyncio.new_event_loop(), threading.Event()
    visits = Port80(role.answers, "https://mail.acme.example")
    server = loop.run_until_complete(loop.create_server(visits.visit, "127.0.0.1", port))

    def run() -> None:
        loop.run_forever()
        loop.close()
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        ended.wait()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library asks once a second whether an authority is done; here it asks more often."""
    often = SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, 0.05)))
    monkeypatch.setattr(client, "time", often)


@pytest.fixture
def role(pebble: Pebble, tmp_path: Path) -> Role:
    return Role(config_for(pebble, tmp_path))


def config_for(pebble: Pebble, folder: Path) -> AcmeConfig:
    return AcmeConfig(
        names=NAMES,
        directory=pebble.directory,
        contact="postmaster@acme.example",
        eab_kid="",
        eab_key="",
        authorities=pebble.authorities,
        http=HostPort("127.0.0.1", pebble.http_port),
        redirect="",
        folder=folder / "certificate",
    )


def test_a_certificate_is_issued_for_every_name_and_kept(role: Role, pebble: Pebble) -> None:
    with listening(role, pebble.http_port):
        state = role.look()
        held = role.held()
        assert (state.failures, state.trouble, role.told.events) == (0, "", ["issued"])
        assert held.names == frozenset(NAMES)
        assert not held.stand_in
        role.kept.files.context()  # key and chain belong together
        assert role.answers.by_token == {}
        account = role.kept.account(pebble.directory)

        again = Role(role.config)  # after a restart
        assert again.authority()._key == role.authority()._key
        assert again.look().attempts == 1
        assert again.held() == held

        # Names were taken away: the certificate is for others than it should be.
        fewer = Role(replace(role.config, names=NAMES[:1]), answers=role.answers)
        assert fewer.look().attempts == 2
        assert fewer.held().names == {NAMES[0]}
        assert role.kept.account(pebble.directory) == account
    modes = {path.name: path.stat().st_mode & 0o777 for path in role.kept.folder.iterdir()}
    assert modes == {"account.json": 0o600, "current.pem": 0o600, "state.json": 0o600}


def test_a_refused_challenge_leaves_what_is_served_and_waits(role: Role) -> None:
    before = role.held()
    state = role.look()  # nobody answers on port 80
    assert state.trouble == "challenge"
    assert "mail.acme.example: connection" in state.text
    assert "port 80" in state.text
    assert role.held() == before
    assert state.at is not None
    assert state.next_at is not None
    assert state.next_at - state.at >= timedelta(minutes=2)
    assert role.look().attempts == 1  # not yet
    assert Role(role.config).look().attempts == 1  # a restart asks no sooner
    role.kept.want()
    assert role.look().attempts == 2  # somebody who has seen to it may ask at once
    assert role.look(timedelta(minutes=30)).attempts == 3
    assert role.look(-timedelta(days=1)).attempts == 4  # the clock was set back
    assert role.told.events == ["challenge"] * 4


def test_an_authority_that_forgot_us_gets_the_same_key_anew(role: Role, pebble: Pebble) -> None:
    with listening(role, pebble.http_port):
        role.look()
        key = role.kept.account(pebble.directory)["key"]
        pebble.stop()
        role.kept.want()
        state = role.look()
        assert state.trouble == "away"
        assert "cannot be reached" in state.text
        pebble.start()  # without its memory
        role.kept.want()
        assert role.look().trouble == "account"
        role.kept.want()
        assert role.look().trouble == ""
    assert role.kept.account(pebble.directory)["key"] == key
    assert role.told.events == ["issued", "away", "account", "issued"]


def test_an_account_that_has_to_be_bound(tmp_path: Path) -> None:
    kid, key = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    with server_folder() as folder:
        pebble = Pebble(folder, {kid: key})
        pebble.start()
        try:
            config = config_for(pebble, tmp_path)
            unbound = Role(config)
            state = unbound.look()
            assert state.trouble == "account"
            assert "ACME_EAB_KID" in state.text
            bound = Role(replace(config, eab_kid=kid, eab_key=key))
            with listening(bound, pebble.http_port):
                bound.kept.want()
                assert bound.look().trouble == ""
        finally:
            pebble.stop()
    assert key not in repr(bound.config)
    assert all(key not in path.read_text() for path in bound.kept.folder.iterdir())


def test_a_port_that_is_taken_costs_no_order(role: Role) -> None:
    role.answers.not_listening = "ACME_HTTP: cannot listen on 0.0.0.0:80: permission denied"
    state = role.look()
    assert (state.trouble, state.text) == ("port", role.answers.not_listening)
    assert not (role.kept.folder / "account.json").exists()


def test_a_full_disk_is_seen_before_anything_is_ordered(
    role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = role.held()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    state = role.look()
    assert state.trouble == "disk"
    assert "make room" in state.text
    assert role.held() == before
    assert not (role.kept.folder / "account.json").exists()
    assert not list(role.kept.folder.glob("*.new"))


class Strange(http.server.BaseHTTPRequestHandler):
    """A directory as no real one can be made to answer for a test."""

    def do_GET(self) -> None:
        place = f"https://{self.headers['host']}"
        if self.path == "/garbage":
            self._answer(200, {"newNonce": 7})
        else:
            kinds = ("newNonce", "newAccount", "newOrder")
            self._answer(200, {kind: f"{place}/{kind}" for kind in kinds})

    def do_HEAD(self) -> None:
        self._answer(200, None)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        problem = "urn:ietf:params:acme:error:rateLimited"
        detail = "too many\x1b[31m certificates already issued"
        self._answer(429, {"type": problem, "detail": detail})

    def _answer(self, status: int, body: object) -> None:
        octets = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.send_header("Replay-Nonce", "bm9uY2U")
        if status == 429:
            self.send_header("Retry-After", "7200")
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def strange_directory(folder: Path, not_after: datetime | None = None) -> Iterator[str]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "strange.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", not_after=not_after).configure_cert(context)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Strange) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield f"https://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.join()


def failing(folder: Path, directory: str, authorities: Path) -> State:
    config = AcmeConfig(
        names=NAMES,
        directory=directory,
        contact="",
        eab_kid="",
        eab_key="",
        authorities=authorities,
        http=HostPort("127.0.0.1", free_port()),
        redirect="",
        folder=folder / "certificate",
    )
    state = Role(config).look()
    assert Kept(config.folder).held() is not None
    return state


def test_a_rate_limit_is_told_and_waited_for(tmp_path: Path) -> None:
    with strange_directory(tmp_path) as directory:
        state = failing(tmp_path, f"{directory}/dir", tmp_path / "strange.pem")
    assert state.trouble == "limit"
    assert "too many?[31m certificates already issued" in state.text
    assert state.at is not None
    assert state.next_at is not None
    assert state.next_at - state.at >= timedelta(hours=2)


def test_what_is_no_directory_is_told(tmp_path: Path) -> None:
    with strange_directory(tmp_path) as directory:
        state = failing(tmp_path, f"{directory}/garbage", tmp_path / "strange.pem")
    assert state.trouble == "away"
    assert "ACME_DIRECTORY" in state.text


def test_a_clock_that_is_wrong_is_told(tmp_path: Path) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    with strange_directory(tmp_path, not_after=long_ago) as directory:
        state = failing(tmp_path, f"{directory}/dir", tmp_path / "strange.pem")
    assert state.trouble == "clock"


def test_a_directory_of_another_authority_is_not_believed(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    with strange_directory(tmp_path) as directory:
        state = failing(tmp_path, f"{directory}/dir", tmp_path / "other.pem")
    assert state.trouble == "away"
    assert "not trusted" in state.text


def test_a_damaged_account_is_replaced_and_the_state_too(role: Role, pebble: Pebble) -> None:
    role.kept.remember_account({"directory": pebble.directory, "uri": "x", "key": {"kty": "EC"}})
    (role.kept.folder / "state.json").write_text('{"attempts": "many"}')
    with listening(role, pebble.http_port):
        assert role.look().trouble == ""
    assert role.kept.account(pebble.directory)["uri"] != "x"


@dataclass
class Wrong:
    """An authority that issues something else."""

    chain: bytes

    def obtain(self, key_pem: bytes) -> bytes:
        return self.chain

    def suggestion(self, chain_pem: bytes) -> tuple[datetime | None, datetime]:
        return None, utc_now()


@pytest.mark.parametrize("names", [NAMES, NAMES[:1], ()], ids=["key", "names", "nothing"])
def test_what_does_not_fit_is_never_served(role: Role, names: tuple[str, ...]) -> None:
    before = role.kept.current.read_bytes()
    chain = trustme.CA().issue_cert(*names).cert_chain_pems[0].bytes() if names else b"<html>"
    role.renewal.issuer = lambda: Wrong(chain)
    assert role.look().trouble == "refused"
    assert role.kept.current.read_bytes() == before


def test_the_stand_in_is_nobodys_and_replaces_nothing(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "certificate")
    make_stand_in(kept, NAMES)
    octets = kept.current.read_bytes()
    make_stand_in(kept, NAMES)
    assert kept.current.read_bytes() == octets
    assert [path.name for path in kept.folder.iterdir()] == ["current.pem"]
    held = kept.held()
    assert held is not None
    assert held.stand_in
    x509.load_pem_x509_certificate(octets).verify_directly_issued_by(
        x509.load_pem_x509_certificate(octets)
    )
