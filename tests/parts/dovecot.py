"""A real Dovecot as the place where the customer's mail lies: LMTP in, IMAP out.

It takes mail for any address; every mailbox opens with the same password, and to a master user. It
runs as an ordinary user, also when root runs the tests, so everybody can start it. A refused
log-in is answered at once; as it comes, Dovecot lets each one in a row wait longer.
"""

import grp
import imaplib
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.parts.needs import need_file, program
from tests.parts.network import free_port, wait_for_port, wait_until
from tests.parts.process import Server, server_folder, unprivileged_user

PASSWORD = "secret"
MASTER, MASTER_PASSWORD = "livearchive", "opens every mailbox"
FULL = "full@ours.example"  # whose mailbox has no room

CONFIG = """\
base_dir = {folder}/run
state_dir = {folder}/run
protocols = imap lmtp
listen = 127.0.0.1
log_path = {folder}/log
ssl = {ssl}
ssl_cert = <{folder}/tls.pem
ssl_key = <{folder}/tls.pem
auth_master_user_separator = *
mail_plugins = quota
disable_plaintext_auth = no
auth_username_chars =
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = {uid}
first_valid_gid = {gid}
mail_location = maildir:{folder}/mail/%u
lmtp_save_to_detail_mailbox = no
recipient_delimiter =
passdb {{
  driver = passwd-file
  args = {folder}/masters
  master = yes
  result_success = continue
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  mailbox Gesendet {{
    special_use = \\Sent
  }}
  mailbox Trash {{
    special_use = \\Trash
    auto = create
  }}
}}
plugin {{
  quota = maildir:User quota
}}
auth_failure_delay = 0
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
service stats {{
  chroot =
}}
"""


class Dovecot:
    """A running Dovecot; `messages` reads what lies in a mailbox, by real IMAP."""

    def __init__(self, folder: Path, user: str | None) -> None:
        self.imap_port = free_port()
        self.imaps_port = free_port()
        self.lmtp_port = free_port()
        self.authority = trustme.CA()
        certificate = self.authority.issue_cert("localhost").private_key_and_cert_chain_pem
        certificate.write_to_path(folder / "tls.pem")
        (folder / "masters").write_text(f"{MASTER}:{{PLAIN}}{MASTER_PASSWORD}\n")
        owner = pwd.getpwnam(user) if user else pwd.getpwuid(os.getuid())
        (folder / "users").write_text(
            f"{FULL}::{owner.pw_uid}:{owner.pw_gid}::{folder}/mail/full::userdb_quota_rule=*:bytes=1\n"
        )
        config = folder / "dovecot.conf"
        config.write_text(
            CONFIG.format(
                folder=folder,
                user=owner.pw_name,
                group=grp.getgrgid(owner.pw_gid).gr_name,
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                password=PASSWORD,
                ssl="yes",
                imap=self.imap_port,
                imaps=self.imaps_port,
                lmtp=self.lmtp_port,
            )
        )
        dovecot = program("dovecot", "dovecot-core")
        self._server = Server([dovecot, "-F", "-c", str(config)], folder, user)

    def start(self) -> None:
        """Start it; it takes and shows mail when this returns."""
        self._server.start(self.imap_port)
        wait_for_port(self.lmtp_port, "Dovecot LMTP")

    def stop(self) -> None:
        """Stop it; the mail stays."""
        self._server.stop()

    def messages(self, address: str) -> list[bytes]:
        """The octets of each message in an address's inbox, oldest first."""
        with imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=30) as imap:
            imap.login(address, PASSWORD)
            imap.select("INBOX", readonly=True)
            numbers = imap.search(None, "ALL")[1][0].split()
            fetched = [imap.fetch(number.decode(), "(BODY.PEEK[])")[1][0] for number in numbers]
        return [part[1] for part in fetched if isinstance(part, tuple)]

    def folder(self, address: str, folder: str) -> list[tuple[str, bytes]]:
        """Flags with internal date, and octets, of each message in a folder; none: no folder."""
        with imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=30) as imap:
            imap.login(address, PASSWORD)
            if imap.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            numbers = imap.search(None, "ALL")[1][0].split()
            asked = "(FLAGS INTERNALDATE BODY.PEEK[])"
            fetched = [imap.fetch(number.decode(), asked)[1][0] for number in numbers]
        return [(part[0].decode(), part[1]) for part in fetched if isinstance(part, tuple)]

    def make(self, address: str, folder: str) -> None:
        """Make a folder."""
        with imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=30) as imap:
            imap.login(address, PASSWORD)
            imap.create(folder)

    def wait_for(self, address: str, count: int, seconds: float = 60) -> list[bytes]:
        """The messages of an address, once there are at least `count`."""
        wait_until(
            lambda: len(self.messages(address)) >= count,
            f"{count} messages for {address}",
            seconds,
        )
        return self.messages(address)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A Dovecot for all tests of a session: let each test use addresses of its own."""
    need_file("/usr/lib/dovecot/imap", "dovecot-imapd")
    need_file("/usr/lib/dovecot/lmtp", "dovecot-lmtpd")
    user = unprivileged_user()
    with server_folder(user) as folder:
        server = Dovecot(folder, user)
        server.start()
        yield server
        server.stop()
