"""The webmail that one would run: Roundcube on nginx and php-fpm, with Dovecot's mail_crypt below.

Debian's packages with instances, folders and ports of their own; nothing of the system's is
touched. Dovecot is the one of `bench.peers` with IMAP added. With `index` it also keeps Xapian's
full-text index, whose words lie on the disk in clear; without, a search of texts opens every mail.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.peers import DovecotTarget, PostfixTarget
from bench.servers import Daemon, free_port, wait_for_port

PHP_FPM = "/usr/sbin/php-fpm8.2"
PROGRAMS = {
    "dovecot-imapd": "/usr/lib/dovecot/imap",
    "dovecot-lmtpd": "/usr/lib/dovecot/lmtp",
    "dovecot-fts-xapian": "/usr/lib/dovecot/modules/lib21_fts_xapian_plugin.so",
    "nginx-light": "/usr/sbin/nginx",
    "php8.2-fpm": PHP_FPM,
    "postfix": "/usr/sbin/postfix",
    "roundcube-core": "/usr/share/roundcube/index.php",
    "roundcube-sqlite3": "/usr/share/doc/roundcube-sqlite3/copyright",
}
WEB_OWNER = "www-data"

IMAP = """\
protocols = imap lmtp
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_max_userip_connections = 200
service imap-login {{
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""
XAPIAN = """\
mail_plugins = zlib mail_crypt fts fts_xapian
protocol lmtp {
  mail_plugins = zlib mail_crypt fts fts_xapian
}
service indexer-worker {
  vsz_limit = 2G
}
plugin {
  fts = xapian
  fts_xapian = partial=3 full=20 verbose=0
  fts_autoindex = no
  fts_enforced = yes
}
"""
ROUNDCUBE = """\
<?php
$config = [];
$config['db_dsnw'] = 'sqlite:///{folder}/rc.db?mode=0640';
$config['imap_host'] = '127.0.0.1:{imap}';
$config['smtp_host'] = '127.0.0.1:{smtp}';
$config['smtp_user'] = ''; $config['smtp_pass'] = '';
$config['des_key'] = 'bench-bench-bench-bench!';
$config['plugins'] = [];
$config['skin'] = 'elastic';
$config['mail_domain'] = 'bench.local';
$config['temp_dir'] = '{folder}/temp'; $config['log_dir'] = '{folder}/logs';
$config['enable_installer'] = false; $config['session_lifetime'] = 600;
$config['mail_pagesize'] = 50;
$config['login_rate_limit'] = 1000000;
$config['layout'] = 'widescreen';
"""
FPM = """\
[global]
error_log = {folder}/fpm.log
daemonize = no
[www]
user = {owner}
group = {owner}
listen = {folder}/php.sock
listen.mode = 0666
pm = static
pm.max_children = 8
env[ROUNDCUBE_CONFIG_DIR] = {folder}/config
php_admin_value[opcache.enable] = 1
"""
NGINX = """\
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err; worker_processes 2; user {owner};
events {{ worker_connections 512; }}
http {{
  include /etc/nginx/mime.types; access_log off; client_max_body_size 50m;
  client_body_temp_path {folder}/nb; fastcgi_temp_path {folder}/nf; proxy_temp_path {folder}/np;
  uwsgi_temp_path {folder}/nu; scgi_temp_path {folder}/ns; fastcgi_read_timeout 300;
  server {{
    listen 127.0.0.1:{port}; root /var/lib/roundcube/public_html; index index.php;
    location ~ \\.php(/|$) {{
      include /etc/nginx/fastcgi.conf; fastcgi_pass unix:{folder}/php.sock;
    }}
  }}
}}
"""


def missing() -> list[str]:
    """The packages that this needs and the machine lacks."""
    return [package for package, path in PROGRAMS.items() if not Path(path).exists()]


class Imap(DovecotTarget):
    """Dovecot with IMAP beside LMTP."""

    name = "Dovecot, mail_crypt"

    def __init__(self, folder: Path, *, index: bool) -> None:
        self.imap = free_port()
        super().__init__(folder, IMAP.format(imap=self.imap) + (XAPIAN if index else ""))

    def copy(self, user: str, others: Sequence[str]) -> None:
        """Give others the mailbox of a user; one key opens all."""
        for other in others:
            subprocess.run(["cp", "-a", self.mail / user, self.mail / other], check=True)

    def index(self, user: str) -> None:
        """Build the full-text index of a mailbox, whole."""
        words = ["doveadm", "-c", str(self.config), "index", "-u", user, "INBOX"]
        subprocess.run(words, check=True, capture_output=True)


class Web:
    """Roundcube on nginx and php-fpm."""

    def __init__(self, folder: Path, imap: int, smtp: int) -> None:
        self.port = free_port()
        for name in ("config", "temp", "logs"):
            (folder / name).mkdir(parents=True)
        (folder / "config" / "config.inc.php").write_text(
            ROUNDCUBE.format(folder=folder, imap=imap, smtp=smtp)
        )
        for name in ("defaults.inc.php", "mimetypes.php"):
            shutil.copy(Path("/etc/roundcube") / name, folder / "config")
        tables = Path("/usr/share/roundcube/SQL/sqlite.initial.sql").read_text()
        make = f"(new PDO('sqlite:{folder}/rc.db'))->exec(stream_get_contents(STDIN));"
        subprocess.run(["php8.2", "-r", make], input=tables, text=True, check=True)
        values = {"folder": folder, "owner": WEB_OWNER, "port": self.port}
        for name, text in {"fpm.conf": FPM, "nginx.conf": NGINX}.items():
            (folder / name).write_text(text.format(**values))
        for path in [folder, *folder.rglob("*")]:
            shutil.chown(path, WEB_OWNER, WEB_OWNER)
        (folder / "fpm").mkdir()
        self._fpm = Daemon([PHP_FPM, "-y", str(folder / "fpm.conf")], folder / "fpm")
        self._nginx = Daemon(["/usr/sbin/nginx", "-c", str(folder / "nginx.conf")], folder)
        wait_for_port(self.port, self._nginx.process, self._nginx.output)

    @property
    def roots(self) -> Sequence[int]:
        return [self._fpm.pid, self._nginx.pid]

    def stop(self) -> None:
        """End both."""
        self._nginx.stop()
        self._fpm.stop()


@contextmanager
def roundcube(folder: Path, *, index: bool) -> Iterator[tuple[Imap, Web]]:
    """Roundcube and all that it needs, running; what it sends is delivered to its own mailboxes."""
    imap = Imap(folder / "dovecot", index=index)
    try:
        postfix = PostfixTarget(folder / "postfix", imap)
        try:
            web = Web(folder / "web", imap.imap, postfix.port)
            try:
                yield imap, web
            finally:
                web.stop()
        finally:
            postfix.daemon.stop()
    finally:
        imap.daemon.stop()


def version() -> str:
    """Which Roundcube this is."""
    query = ["dpkg-query", "-W", "-f=${Version}", "roundcube-core"]
    shown = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    return f"Roundcube {shown.partition('+')[0]}"


def can_run() -> str:
    """Why it cannot run here; empty when it can."""
    if os.geteuid() != 0:
        return "only root can start Postfix and php-fpm"
    return f"these packages are not installed: {', '.join(lack)}" if (lack := missing()) else ""
