"""Real Postfix instances: the provider's mail server before LiveArchive, or the customer's behind.

Each has its own folder, queue and port, asks no DNS, and retries within seconds. `Route` says what
it does with the mail of a domain: hand it on to a host, and perhaps a copy to another. The copy
goes out under the very same recipient address: it travels inside as `user@DOMAIN.copy.invalid`,
and the transport for those writes the true address back (smtp_generic_maps). Only root can start
Postfix.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.parts.needs import need_root, program
from tests.parts.network import free_port
from tests.parts.process import Server, server_folder

PACKAGE = "postfix"

MAIN = """\
compatibility_level = 3.6
config_directory = {folder}/etc
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.provider.example
mydestination =
mynetworks = 127.0.0.0/8
relay_domains = {domains}
smtpd_relay_restrictions = permit_mynetworks, reject
local_recipient_maps =
alias_maps =
alias_database =
transport_maps = inline:{{ {transports} }}
recipient_bcc_maps = regexp:{folder}/etc/copies
smtp_send_xforward_command = yes
smtp_tls_security_level = may
smtp_dns_support_level = disabled
smtp_host_lookup = native
disable_dns_lookups = yes
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
minimal_backoff_time = 1s
maximal_backoff_time = 3s
queue_run_delay = 1s
smtputf8_enable = yes
message_size_limit = 52428800
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
lmtp      unix  - - n - - lmtp
copy      unix  - - n - - smtp -o smtp_generic_maps=regexp:{folder}/etc/originals
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

_QUEUES = "active bounce corrupt defer deferred flush hold incoming private saved trace".split()
OWN_FOLDERS = (
    ("data", "root", 0o700),
    *((f"spool/{name}", "root", 0o700) for name in _QUEUES),
    ("spool/maildrop", "postdrop", 0o1730),
    ("spool/public", "postdrop", 0o2710),
)


@dataclass(frozen=True, slots=True)
class Route:
    """What becomes of a domain's mail. Ports are of 127.0.0.1."""

    domain: str
    port: int
    protocol: str = "smtp"  # or "lmtp"
    copy_port: int | None = None  # SMTP; a copy of each mail, to the same recipients

    @property
    def transports(self) -> Sequence[str]:
        """The lines of `transport_maps`."""
        direct = f"{{{self.domain} = {self.protocol}:[127.0.0.1]:{self.port}}}"
        if self.copy_port is None:
            return [direct]
        return [direct, f"{{{self.domain}.copy.invalid = copy:[127.0.0.1]:{self.copy_port}}}"]


class Postfix:
    """One Postfix instance; stopped and started again it keeps its queue."""

    def __init__(self, folder: Path, routes: Sequence[Route]) -> None:
        self.port = free_port()
        self._folder = folder
        postconf = [program("postconf", PACKAGE), "-d", "-h", "daemon_directory"]
        daemons = subprocess.run(postconf, capture_output=True, text=True, check=True)
        self._write(daemons.stdout.strip(), routes)
        master = f"{daemons.stdout.strip()}/master"
        self._server = Server([master, "-c", str(folder / "etc"), "-d"], folder)

    def _write(self, daemons: str, routes: Sequence[Route]) -> None:
        for name in ("etc", "spool", "spool/pid"):
            (self._folder / name).mkdir()
        # What `postfix check` would make, but that takes two seconds each time.
        for name, group, mode in OWN_FOLDERS:
            (self._folder / name).mkdir()
            shutil.chown(self._folder / name, "postfix", group)
            (self._folder / name).chmod(mode)
        copied = [route.domain for route in routes if route.copy_port is not None]
        domains = [route.domain for route in routes] + [f"{name}.copy.invalid" for name in copied]
        main = MAIN.format(
            folder=self._folder,
            daemons=daemons,
            domains=", ".join(domains),
            transports=", ".join(line for route in routes for line in route.transports),
        )
        files = {
            "main.cf": main,
            "master.cf": MASTER.format(port=self.port, folder=self._folder),
            "copies": "".join(f"/^(.+)@{_quoted(d)}$/ $1@{d}.copy.invalid\n" for d in copied),
            "originals": "".join(
                f"/^(.+)@{_quoted(d)}\\.copy\\.invalid$/ $1@{d}\n" for d in copied
            ),
        }
        for name, text in files.items():
            (self._folder / "etc" / name).write_text(text)
            # Postfix reads a file again and again until it is no longer brand new: two seconds.
            os.utime(self._folder / "etc" / name, (0, 0))

    def start(self) -> None:
        """Start it; it listens when this returns."""
        self._server.start(self.port)

    def stop(self) -> None:
        """Stop it, as in an outage: connections are refused until it is started again."""
        self._server.stop()

    def queue(self) -> list[dict[str, object]]:
        """What it could not hand on yet, as `postqueue -j` tells it."""
        command = [program("postqueue", PACKAGE), "-c", str(self._folder / "etc"), "-j"]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in shown.stdout.splitlines()]

    @property
    def log(self) -> str:
        """Its mail log so far."""
        path = self._folder / "log"
        return path.read_text() if path.exists() else ""


def _quoted(domain: str) -> str:
    return domain.replace(".", "\\.")


@pytest.fixture
def start_postfix() -> Iterator[Callable[..., Postfix]]:
    """Call it with routes: a running Postfix for this test, stopped after it."""
    program("postfix", PACKAGE)
    need_root(PACKAGE)
    with ExitStack() as running:

        def start(*routes: Route) -> Postfix:
            postfix = Postfix(running.enter_context(server_folder()), routes)
            running.callback(postfix.stop)
            postfix.start()
            return postfix

        yield start
