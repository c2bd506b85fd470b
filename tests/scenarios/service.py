"""The product as its users run it: real processes, started and stopped by the command."""

import contextlib
import json
import os
import secrets
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from app.accounts import domains, identities, users
from app.accounts.passwords import Passwords
from app.cli.access import keys_for
from app.config import Config
from app.delivery import desk
from app.demo.control import StandInControl, Where
from app.keys.client import KeysClient
from app.operations import Listed, MailboxReader, domain_id_of
from app.secret import Secret
from app.setup import prepare
from app.viewer import Actor, Role
from app.wiring import Parts
from archive_store import ids
from archive_store.address import EmailAddress
from archive_store.clock import utc_now
from tests.parts.network import free_port, wait_for_port, wait_until

ROOT = Path(__file__).parents[2]
PASSWORD = "seven quiet herons wade"
START_SECONDS = 90.0
ACTOR = Actor.command_line("tester")
PASSWORDS = Passwords()


@dataclass
class Ports:
    """Where this service listens, and where its stand-in primary and outside do."""

    http: int = field(default_factory=free_port)
    smtp: int = field(default_factory=free_port)
    lmtp: int = field(default_factory=free_port)
    primary: int = field(default_factory=free_port)
    outside: int = field(default_factory=free_port)


@dataclass
class Done:
    """How a command ended."""

    status: int
    out: str
    error: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Service:
    """One installation in a folder, with a domain acme.example of two people."""

    def __init__(self, folder: Path, database_url: str, ports: Ports | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.ports = ports or Ports()
        self.log = folder / "service.log"
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("LIVEARCHIVE_")
        }
        self.environment |= {
            "LIVEARCHIVE_DATA_DIR": str(self.data),
            "LIVEARCHIVE_HTTP": f"127.0.0.1:{self.ports.http}",
            "LIVEARCHIVE_SMTP": f"127.0.0.1:{self.ports.smtp}",
            "LIVEARCHIVE_LMTP": f"127.0.0.1:{self.ports.lmtp}",
            "LIVEARCHIVE_SMARTHOST": f"127.0.0.1:{self.ports.outside}",
            "PYTHONPATH": str(ROOT),
        }
        if not database_url.startswith("sqlite"):
            self.environment["LIVEARCHIVE_DATABASE_URL"] = database_url
        self.process: subprocess.Popen[bytes] | None = None
        self.before: list[str] = []  # a program that starts the service, and keeps its process id

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.http}"

    def command(self, *words: str, given: str = "") -> Done:
        """Run one command; never raises for its status."""
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", *words],
            input=given,
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def must(self, *words: str, given: str = "") -> Done:
        """Run a command that has to succeed."""
        done = self.command(*words, given=given)
        assert done.status == 0, f"{words}: {done.error}"
        return done

    @contextmanager
    def parts(self) -> Iterator[tuple[Parts, KeysClient]]:
        """The same objects that commands use, without the seconds that a command takes to start."""
        parts = Parts(Config.load(self.environment), "admin")
        try:
            with keys_for(parts) as keys:
                yield parts, keys
        finally:
            parts.close()

    def set_up(self, relay: str | None = None) -> None:
        """Make the installation and its people."""
        prepare(Config.load(self.environment))
        self.add_domain("acme.example", relay or self.primary_address)
        self.add_person("vlad@acme.example", "Vlad Mazek")
        self.add_person("maria@acme.example", "Maria Lopez", role="domain-admin")

    def add_domain(self, name: str, relay: str) -> None:
        with self.parts() as (parts, keys):
            with parts.db.write() as tx:
                domain = domains.add(tx, ACTOR, name, domains.parse_relay(relay), utc_now())
                domains.enable(tx, ACTOR, domain, utc_now(), all_users=True)
            keys.ensure_keys()

    def add_identity(self, address: str, identity: str) -> None:
        with self.parts() as (parts, _), parts.db.write() as tx:
            new = identities.parse(identity, receive=True)
            identities.add(tx, ACTOR, users.find(tx, ACTOR, address), new, utc_now())

    def set_domain(self, name: str, **changes: str) -> None:
        with self.parts() as (parts, _), parts.db.write() as tx:
            named = {key.replace("_", "-"): value for key, value in changes.items()}
            domains.change(tx, ACTOR, domains.find(tx, ACTOR, name), named, utc_now())

    @property
    def primary_address(self) -> str:
        return f"127.0.0.1:{self.ports.primary}"

    def newcomer(self, domain: str = "acme.example") -> str:
        """A person nobody has met, for a test that shares the installation."""
        address = f"p{secrets.token_hex(4)}@{domain}"
        self.add_person(address, "Newcomer")
        return address

    def add_person(self, address: str, name: str, role: str = "user") -> None:
        new = users.NewUser(
            address=EmailAddress.parse(address),
            name=name,
            role=Role(role),
            password_hash=_password_hash(),
        )
        with self.parts() as (parts, keys):
            with parts.db.write() as tx:
                users.add(tx, ACTOR, new, utc_now())
            keys.ensure_keys()

    def start(self, *words: str) -> None:
        """Start it and wait for READY."""
        begin = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.before, sys.executable, "-m", "app.cli", "serve", *words],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while b"READY" not in self.log.read_bytes()[begin:]:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"no start:\n{self.log.read_text()[begin:]}")
            time.sleep(0.05)

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        status = self.process.wait(60)
        self.process = None
        return status

    def kill(self) -> None:
        """kill -9 of the supervisor; its roles follow by themselves."""
        if self.process is not None:
            pids = [pid for pid, _ in self.role_pids()]
            self.process.kill()
            self.process.wait()
            self.process = None
            wait_until(lambda: not any(map(_alive, pids)), "roles end with their supervisor")

    def role_pids(self) -> list[tuple[int, str]]:
        """Process id and name of each running role, and of what a role has started."""
        assert self.process is not None
        roles = _children(self.process.pid)
        return roles + [pair for pid, _ in roles for pair in _children(pid)]

    def kill_role(self, name: str) -> None:
        """kill -9 of one role; the supervisor starts it anew."""
        for pid, role in self.role_pids():
            if role == name:
                with contextlib.suppress(ProcessLookupError):  # it has just ended
                    os.kill(pid, signal.SIGKILL)

    def wait_for_smtp(self) -> None:
        wait_for_port(self.ports.smtp, "SMTP")

    def send(self, octets: bytes, *recipients: str, sender: str = "a@b.example") -> None:
        """Send by smtplib, line ends and dots as they must be on the wire."""
        with smtplib.SMTP("127.0.0.1", self.ports.smtp, timeout=60) as client:
            client.ehlo("client.example")
            client.mail(sender)
            for recipient in recipients or ("vlad@acme.example",):
                code, text = client.rcpt(recipient)
                if code >= 400:
                    raise smtplib.SMTPResponseException(code, text)
            code, text = client.data(octets)
            if code != 250:
                raise smtplib.SMTPResponseException(code, text)

    def messages(self, address: str = "vlad@acme.example", folder: str = "") -> list[Listed]:
        """What `messages list` shows, newest first."""
        with self.parts() as (parts, keys):
            return MailboxReader(parts, keys, "tester", "test").list_messages(address, folder)

    def export(self, address: str = "vlad@acme.example") -> dict[str, bytes]:
        """Every message's octets by id, as `messages export` writes them."""
        with self.parts() as (parts, keys):
            reader = MailboxReader(parts, keys, "tester", "test")
            return {ids.show(one): octets for one, octets in reader.export(address)}

    def fsck(self) -> dict[str, Any]:
        [found] = self.must("fsck", "--json").lines
        return found

    def waiting(self, domain: str = "acme.example") -> int:
        """How many deliveries of a domain are still to be made."""
        with self.parts() as (parts, _), parts.db.read() as tx:
            return desk.list_items(tx, domain_id_of(tx, domain))[1]


class Primary:
    """The stand-in for a domain's mail server, and for the rest of the internet."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self.kept = folder / "primary"
        control = folder / "standin.sock"
        self.control = StandInControl(control)
        self._process = subprocess.Popen(
            [
                sys.executable,
                *("-m", "app.demo.standin_main", "--with-parent"),
                *("--primary", f"127.0.0.1:{ports.primary}"),
                *("--outside", f"127.0.0.1:{ports.outside}"),
                *("--control", str(control), "--keep", str(self.kept)),
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        wait_until(control.exists, "the stand-in's control socket")

    def octets(self, address: str, where: Where = "primary") -> list[bytes]:
        """What it has for an address, newest first."""
        mails = self.control.messages(where, 500)
        wanted = [mail for mail in mails if mail.rcpt_to == address]
        return [self.control.octets(mail.id, where) for mail in wanted]

    def all(self) -> list[bytes]:
        """Everything that the primary has."""
        return [path.read_bytes() for path in (self.kept / "primary").rglob("*.eml")]

    def wait_for(self, address: str, count: int = 1) -> list[bytes]:
        """Wait until it has so many mails for an address."""
        wait_until(lambda: len(self.octets(address)) >= count, f"{count} mails for {address}")
        return self.octets(address)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)


@contextmanager
def running_primary(folder: Path, ports: Ports) -> Iterator[Primary]:
    primary = Primary(folder, ports)
    try:
        yield primary
    finally:
        primary.close()


def signed_in(service: Service, address: str) -> httpx.Client:
    """A person's client of the pages; close it."""
    client = httpx.Client(base_url=service.url, timeout=60, headers={"Origin": service.url})
    words = {"username": address, "password": PASSWORD}
    assert client.post("/login", data=words).status_code == 303
    return client


def mail(subject: str = "Hello", body: str = "Hello\r\n", extra: Sequence[str] = ()) -> bytes:
    """A plain message with CR LF line ends."""
    header = [
        "From: Hanna Berg <hanna@brightwater.example>",
        "To: vlad@acme.example",
        f"Subject: {subject}",
        "Date: Tue, 24 Nov 2026 08:00:00 +0000",
        f"Message-ID: <{time.monotonic_ns()}@brightwater.example>",
        *extra,
    ]
    return ("\r\n".join(header) + "\r\n\r\n" + body).encode()


def _children(parent: int) -> list[tuple[int, str]]:
    """Our own modules that run as children of a process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
            words = (path.parent / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(fields[1]) == parent and b"-m" in words:
            module = words[words.index(b"-m") + 1].decode()
            found.append((int(path.parent.name), module.rpartition(".")[2]))
    return found


@cache
def _password_hash() -> str:
    return PASSWORDS.hash(Secret(PASSWORD))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
