"""The peers: Postfix in front of Dovecot, and Dovecot's LMTP by itself, sealing with mail_crypt.

This is what one would run for sealed mailboxes without LiveArchive. Both have instances, queues and
ports of their own in the folder of the run and touch nothing of the system's. Dovecot compresses
(zstd, level 3) and encrypts with a global key on prime256v1, which is the fastest of its ways:
folders of files (Maildir), one key for all users. Postfix is as its distribution has it; it says
250 once a mail is in its queue, which lies in clear on disk, so what counts is when Dovecot has it.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from bench.servers import Daemon, free_port, wait_for_port

PROGRAMS = {"postfix": "/usr/sbin/postfix", "dovecot-lmtpd": "/usr/lib/dovecot/lmtp"}
OWNER = "mail"  # a user that every Debian has; the mailboxes belong to it

DOVECOT = """\
base_dir = {folder}/run
state_dir = {folder}/run
instance_name = bench
protocols = lmtp
listen = 127.0.0.1
ssl = no
log_path = {folder}/log
first_valid_uid = 1
first_valid_gid = 1
mail_uid = {owner}
mail_gid = {owner}
mail_location = maildir:~/Maildir
mail_plugins = zlib mail_crypt
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner} home={folder}/mail/%n allow_all_users=yes
}}
service lmtp {{
  process_min_avail = 2
  unix_listener lmtp {{
    mode = 0666
  }}
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
protocol lmtp {{
  mail_plugins = zlib mail_crypt
}}
plugin {{
  zlib_save = zstd
  zlib_save_level = 3
  mail_crypt_save_version = 2
  mail_crypt_curve = prime256v1
  mail_crypt_global_private_key = <{folder}/private.pem
  mail_crypt_global_public_key = <{folder}/public.pem
}}
"""

MAIN = """\
compatibility_level = 3.6
config_directory = {folder}/etc
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
myhostname = in.bench.local
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = bench.local
virtual_mailbox_maps = static:ok
virtual_transport = lmtp:unix:{lmtp}
default_transport = discard:
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_relay_restrictions = permit_mynetworks, reject
message_size_limit = 52428800
mailbox_size_limit = 0
virtual_mailbox_limit = 0
alias_maps =
alias_database =
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
"""

# Debian's services, of which nothing is in a chroot here.
MASTER = """\
127.0.0.1:{port} inet n - n - 200 smtpd
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
lmtp      unix  - - n - - lmtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""

_QUEUES = "active bounce corrupt defer deferred flush hold incoming private saved trace".split()
_OWN_FOLDERS = (
    ("data", "root", 0o700),
    *((f"spool/{name}", "root", 0o700) for name in _QUEUES),
    ("spool/maildrop", "postdrop", 0o1730),
    ("spool/public", "postdrop", 0o2710),
)


def missing() -> list[str]:
    """The packages that the peers need and this machine lacks."""
    return [package for package, path in PROGRAMS.items() if not Path(path).exists()]


class DovecotTarget:
    """Dovecot's LMTP: 250 means that the mail is in the mailbox."""

    name = "Dovecot LMTP, mail_crypt"
    lmtp = True
    most = 1_000_000

    def __init__(self, folder: Path, more_settings: str = "") -> None:
        self.port = free_port()
        self.socket = folder / "run" / "lmtp"
        self.mail = folder / "mail"
        for name in ("run", "mail"):
            (folder / name).mkdir(parents=True)
        shutil.chown(self.mail, OWNER, OWNER)
        _write_keys(folder)
        self.config = folder / "dovecot.conf"
        settings = DOVECOT.format(folder=folder, owner=OWNER, port=self.port)
        self.config.write_text(settings + more_settings)
        self.daemon = Daemon(["/usr/sbin/dovecot", "-F", "-c", str(self.config)], folder)
        wait_for_port(self.port, self.daemon.process, folder / "log")

    @property
    def roots(self) -> Sequence[int]:
        return [self.daemon.pid]

    @property
    def taking(self) -> Sequence[int]:
        return self.roots

    def stored(self) -> int:
        """The files of all mailboxes."""
        return sum(1 for _ in self.mail.glob("*/Maildir/new/*"))

    def waiting(self) -> int:
        return 0


class PostfixTarget:
    """Postfix, which hands each mail on to a Dovecot."""

    name = "Postfix → Dovecot, mail_crypt"
    lmtp = False
    # It takes several times what it hands on, and a run ends when its queue is empty.
    most = 400

    def __init__(self, folder: Path, dovecot: DovecotTarget) -> None:
        self.port = free_port()
        self._dovecot = dovecot
        self._spool = folder / "spool"
        daemons = "/usr/lib/postfix/sbin"
        for name in ("etc", "spool", "spool/pid"):
            (folder / name).mkdir(parents=True)
        for name, group, mode in _OWN_FOLDERS:
            (folder / name).mkdir()
            shutil.chown(folder / name, "postfix", group)
            (folder / name).chmod(mode)
        files = {
            "main.cf": MAIN.format(folder=folder, daemons=daemons, lmtp=dovecot.socket),
            "master.cf": MASTER.format(port=self.port),
        }
        for name, text in files.items():
            (folder / "etc" / name).write_text(text)
            # Postfix reads a file again and again until it is no longer brand new: two seconds.
            os.utime(folder / "etc" / name, (0, 0))
        self.daemon = Daemon([f"{daemons}/master", "-c", str(folder / "etc"), "-d"], folder)
        wait_for_port(self.port, self.daemon.process, self.daemon.output)

    @property
    def roots(self) -> Sequence[int]:
        return [self.daemon.pid, *self._dovecot.roots]

    @property
    def taking(self) -> Sequence[int]:
        return self.roots

    def stored(self) -> int:
        return self._dovecot.stored()

    def waiting(self) -> int:
        """The files in its queues."""
        queues = ("maildrop", "incoming", "active", "deferred")
        return sum(len(files) for queue in queues for _, _, files in os.walk(self._spool / queue))


@contextmanager
def peers(folder: Path) -> Iterator[list[PostfixTarget | DovecotTarget]]:
    """Both peers, running: the first is what ratios refer to."""
    dovecot = DovecotTarget(folder / "dovecot")
    try:
        postfix = PostfixTarget(folder / "postfix", dovecot)
        try:
            yield [postfix, dovecot]
        finally:
            postfix.daemon.stop()
    finally:
        dovecot.daemon.stop()


def versions() -> str:
    """Which peers these are."""
    postfix = _output("postconf", "-d", "-h", "mail_version")
    return f"Postfix {postfix}, Dovecot {_output('/usr/sbin/dovecot', '--version').split()[0]}"


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _write_keys(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "private.pem").write_bytes(private)
    (folder / "public.pem").write_bytes(public)
