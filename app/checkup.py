"""The doctor: settings, keys, database, disk, ports and DNS, each with what to do."""

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import dns.exception
import dns.resolver
from sqlalchemy import select

from app.accounts import feeds
from app.accounts.domains import Mode, Tls
from app.certificates.config import AcmeConfig
from app.certificates.kept import Kept
from app.config import Config, HostPort
from app.keys.client import KeysClient
from app.migrate import is_current
from app.models import Domain
from app.scanning.clamd import Clamd, ScannerAway
from app.setup import is_prepared, run_dir
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.directory import PublicKeys
from archive_store.errors import ConfigError, MasterKeyAway, StoreError
from archive_store.keyring import KeyringFile
from archive_store.retention import visible_after
from archive_store.segments.choice import examine_segments
from smtp_ingest.tls import CertificateFiles

LOW_DISK = 0.09
DNS_SECONDS = 3.0
RENEW_BEFORE = timedelta(days=14)
_TLS = {
    Tls.MAY: "with TLS where it offers it, else in clear",
    Tls.ENCRYPT: "always with TLS",
    Tls.VERIFY: "always with TLS and a valid certificate",
}


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor."""

    what: str
    verdict: Verdict
    text: str


def examine(config: Config) -> Iterator[Finding]:
    """Every check, in order; what a failed one makes pointless is left out."""
    yield Finding("settings", Verdict.OK, f"read; data in {config.data_dir}")
    if not is_prepared(config):
        yield Finding("data folder", Verdict.FAILED, "not made yet: run `livearchive init`")
        return
    yield from (_disk(config), _segments(config), _keyring(config))
    database = _database(config)
    yield database
    running = _keys_role(config)
    yield running
    listening = running.verdict is Verdict.OK
    for name in ("http", "https", "smtp", "lmtp", "smtps", "acme_http"):
        where: HostPort | None = getattr(config, name)
        if where is not None and (name != "acme_http" or config.acme_names):
            yield _port(name, where, listening)
    yield from _certificate(config)
    yield from _scanner(config)
    if database.verdict is Verdict.OK:
        yield from _domains(config)


def _certificate(config: Config) -> Iterator[Finding]:
    try:
        files = config.certificate
        if files is None:
            return
        if config.acme is not None:
            yield _by_acme(config.acme, files)
            return
        files.context()
        end = files.valid_until()
    except ConfigError as error:
        yield Finding("certificate", Verdict.FAILED, str(error))
        return
    text = f"valid until {end:%Y-%m-%d}"
    if end < utc_now():
        yield Finding("certificate", Verdict.FAILED, f"{text}: renew it, clients refuse it now")
    elif end < utc_now() + RENEW_BEFORE:
        yield Finding("certificate", Verdict.WARNING, f"{text}: renew it")
    else:
        yield Finding("certificate", Verdict.OK, text)


def _by_acme(acme: AcmeConfig, files: CertificateFiles) -> Finding:
    """The certificate that we get ourselves; with what stands in the way of a new one."""
    kept = Kept(acme.folder)
    held, state, now = kept.held(), kept.state(), utc_now()
    why = f"; the last attempt failed: {state.text}" if state.failures else ""
    if held is None or held.stand_in:
        text = "none of an authority yet, a stand-in is served"
        return Finding("certificate", Verdict.FAILED, text + (why or ": start the service"))
    files.context()
    text = f"valid until {held.ends:%Y-%m-%d}{why}"
    if held.ends < now:
        return Finding("certificate", Verdict.FAILED, text)
    if state.failures or held.ends < now + held.life / 6:
        return Finding("certificate", Verdict.WARNING, text)
    return Finding("certificate", Verdict.OK, text)


def _scanner(config: Config) -> Iterator[Finding]:
    if config.clamd is None:
        return
    try:
        version = Clamd(config.clamd).version(DNS_SECONDS)
    except ScannerAway as error:
        text = f"clamd at {config.clamd}: {error}; mail is not checked for viruses"
        yield Finding("scanner", Verdict.FAILED, text)
        return
    yield Finding("scanner", Verdict.OK, f"{version} at {config.clamd}")


def _disk(config: Config) -> Finding:
    usage = shutil.disk_usage(config.data_dir)
    share = usage.free / usage.total
    text = f"{share:.0%} free"
    if share < LOW_DISK:
        return Finding("disk", Verdict.WARNING, f"{text}: make room before mail has to wait")
    return Finding("disk", Verdict.OK, text)


def _segments(config: Config) -> Finding:
    place = config.store.object_store
    if place is None:
        return Finding("segments", Verdict.OK, f"in {config.store.objects_dir}")
    where = f"bucket {place.bucket}"
    try:
        examine_segments(config.store)
    except StoreError as error:
        return Finding("segments", Verdict.FAILED, f"{where}: {error}")
    return Finding("segments", Verdict.OK, f"{where} takes objects and removes them")


def _keyring(config: Config) -> Finding:
    try:
        keyring = KeyringFile.of(config.store).load()
        public = PublicKeys.load(config.store.keys_dir)
    except StoreError as error:
        return Finding("keyring", Verdict.FAILED, str(error))
    if keyring.installation != public.installation:
        return Finding("keyring", Verdict.FAILED, "belongs to another installation")
    inside = config.store.keyring.is_relative_to(config.data_dir)
    if inside:
        return Finding(
            "keyring",
            Verdict.WARNING,
            "lies in the data folder: set MASTER_KEY_FILE so that no backup takes both",
        )
    return Finding("keyring", Verdict.OK, f"{config.store.keyring}")


def _database(config: Config) -> Finding:
    try:
        with closing(Database(config.store.database)) as db, db.read() as tx:
            tx.execute(select(1))
        if not is_current(config.store.database):
            return Finding("database", Verdict.FAILED, "is of another version: run init")
    except StoreError as error:
        return Finding("database", Verdict.FAILED, f"{error}: check DATABASE_URL")
    return Finding("database", Verdict.OK, "answers")


def _keys_role(config: Config) -> Finding:
    client = KeysClient(run_dir(config), "admin")
    try:
        status = client.status()
    except MasterKeyAway as error:
        return Finding("service", Verdict.FAILED, f"runs, and nobody can read: {error}")
    except StoreError:
        return Finding("service", Verdict.WARNING, "does not run (or not as this user)")
    finally:
        client.close()
    if status["alarms"]:
        return Finding("service", Verdict.FAILED, " ".join(status["alarms"]))
    lacking = int(status["mailboxes_without_key"])
    if lacking:
        return Finding("service", Verdict.FAILED, f"{lacking} mailboxes have no key for today")
    return Finding("service", Verdict.OK, "runs; every mailbox has its keys")


def _port(name: str, where: HostPort, listening: bool) -> Finding:
    try:
        with socket.create_connection((where.host, where.port), timeout=DNS_SECONDS):
            answered = True
    except OSError:
        answered = False
    if answered and not listening:
        return Finding(name, Verdict.FAILED, f"{where} is in use by another program")
    if listening and not answered:
        return Finding(name, Verdict.FAILED, f"nothing answers on {where}")
    return Finding(name, Verdict.OK, f"{where} {'answers' if answered else 'is free'}")


def _domains(config: Config) -> Iterator[Finding]:
    with closing(Database(config.store.database)) as db, db.read() as tx:
        found = list(tx.scalars(select(Domain).order_by(Domain.name)))
        since = visible_after(utc_now(), config.store.keep)
        unread = {one.id: feeds.waiting_in_quarantine(tx, one, since) for one in found}
    if not found:
        yield Finding("domains", Verdict.WARNING, "none yet: `livearchive domain add`")
    for domain in found:
        if not domain.enabled:
            yield Finding(domain.name, Verdict.WARNING, "is off: `livearchive domain enable`")
        if domain.mode == Mode.RELAY:
            yield _primary(domain)
        if domain.smarthost:
            text = f"smarthost {domain.smarthost}; {_TLS[Tls(domain.smarthost_tls)]}"
            yield Finding(domain.name, Verdict.OK, text)
        if unread[domain.id]:
            text = f"{unread[domain.id]} journal reports could not be read: `domain journal`"
            yield Finding(domain.name, Verdict.WARNING, text)
        yield _mx(domain.name)


def _primary(domain: Domain) -> Finding:
    where = HostPort(domain.relay_host, domain.relay_port)
    try:
        with socket.create_connection((where.host, where.port), timeout=DNS_SECONDS):
            text = f"primary {where} answers; {_TLS[Tls(domain.relay_tls)]}"
            return Finding(domain.name, Verdict.OK, text)
    except OSError as error:
        reason = (error.strerror or "no answer").lower()
        return Finding(domain.name, Verdict.WARNING, f"primary {where}: {reason}")


def _mx(name: str, resolve: Callable[[str], list[str]] | None = None) -> Finding:
    try:
        hosts = (resolve or _mx_hosts)(name)
    except dns.resolver.NXDOMAIN:
        return Finding(name, Verdict.WARNING, "DNS knows no such domain")
    except (dns.exception.DNSException, OSError):
        return Finding(name, Verdict.WARNING, "DNS gave no MX")
    return Finding(name, Verdict.OK, f"MX {', '.join(hosts)}")


def _mx_hosts(name: str) -> list[str]:
    answer = dns.resolver.resolve(name, "MX", lifetime=DNS_SECONDS)
    return sorted(str(record.exchange).rstrip(".") for record in answer)
