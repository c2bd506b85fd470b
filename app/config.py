"""The settings with which the product starts (what may change while it runs: `app.settings`).

A setting is an environment variable `LIVEARCHIVE_<NAME>` or the same name in the
TOML file that `LIVEARCHIVE_CONFIG` names; the environment wins, and an option of a
command wins over both. A secret can stand in a file of its own, which
`LIVEARCHIVE_<NAME>_FILE` names. `app.config_table` is the one table of them. An
unknown name or an invalid value raises `ConfigError`, one line that names the setting
and says what is expected; the value of a secret is never quoted.
"""

from __future__ import annotations

import difflib
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from app.certificates.config import AcmeConfig
from app.certificates.kept import Kept
from app.config_kinds import HostPort as HostPort
from app.config_kinds import Network, bucket_in, is_host_name
from app.config_table import PREFIX as PREFIX
from app.config_table import SETTINGS as SETTINGS
from app.config_table import Setting
from archive_store.config import MasterKeyConfig, ObjectStoreConfig, StoreConfig
from archive_store.errors import ConfigError
from smtp_ingest.tls import CertificateFiles

CONFIG_NAME = "CONFIG"
FILE_SUFFIX = "_FILE"
HTTPS_PORT = 443
LARGEST_SECRET_FILE = 64 * 1024

_NO_CERTIFICATE = "expected ACME_NAMES, or TLS_CERTIFICATE and TLS_KEY, with it"
_BY_NAME = {setting.name: setting for setting in SETTINGS}
_KNOWN = {CONFIG_NAME, *_BY_NAME, *(s.name + FILE_SUFFIX for s in SETTINGS if s.secret)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings, checked. Made by `load`; frozen afterwards."""

    data_dir: Path
    database_url: str = field(repr=False)  # may hold a password
    objects_url: str
    objects_endpoint: str
    objects_region: str
    objects_access_key: str = field(repr=False)
    objects_secret_key: str = field(repr=False)
    objects_timeout: int
    master_key_file: Path | None
    master_key_provider: str
    master_key_secret_file: Path | None
    master_key_vault_url: str
    master_key_vault_key: str
    master_key_vault_ca: Path | None
    public_url: str
    http: HostPort | None
    smtp: HostPort | None
    lmtp: HostPort | None
    https: HostPort | None
    smtps: HostPort | None
    tls_certificate: Path | None
    tls_key: Path | None
    tls_authorities: Path | None
    acme_names: tuple[str, ...]
    acme_agree_terms: bool
    acme_directory: str
    acme_contact: str
    acme_eab_kid: str
    acme_eab_key: str = field(repr=False)
    acme_authorities: Path | None
    acme_http: HostPort | None
    hostname: str
    smarthost: HostPort | None
    max_message_size: int
    webhooks_private: bool
    remote_pictures: bool
    clamd: HostPort | Path | None
    wipe_memory: bool
    keep_days: int
    mailbag_days: int
    undo_seconds: int
    offline: bool
    maillog_days: int
    send_per_hour: int
    send_per_day: int
    send_domain_per_hour: int
    send_domain_per_day: int
    trusted_proxies: tuple[Network, ...]
    smtp_proxies: tuple[Network, ...]
    lmtp_proxies: tuple[Network, ...]
    smtps_proxies: tuple[Network, ...]
    xclient_hosts: tuple[Network, ...]
    xforward_hosts: tuple[Network, ...]
    trusted_feeds: tuple[Network, ...]
    smtp_logins: tuple[tuple[str, str], ...] = field(repr=False)
    smtp_login_required: bool
    held_opens: int
    log_level: str

    @classmethod
    def load(cls, environ: Mapping[str, str], options: Mapping[str, str] | None = None) -> Self:
        """Read the settings; `options` come from the command line, by NAME."""
        given = _given(environ)
        for name, text in (options or {}).items():
            given.pop(name + FILE_SUFFIX, None)
            given[name] = text
        given |= _given_to_others(environ, given)
        values = {setting.field: _value(setting, given) for setting in SETTINGS}
        values["hostname"] = values["hostname"] or _system_name()
        values["public_url"] = values["public_url"] or _own_url(values)
        # A relative folder must not follow a later change of directory.
        values["data_dir"] = values["data_dir"].absolute()
        if values["smtp_login_required"] and not values["smtp_logins"]:
            raise ConfigError("SMTP_LOGIN_REQUIRED: expected SMTP_LOGINS with it")
        return cls(**values)

    @property
    def store(self) -> StoreConfig:
        """The part that the archive store owns."""
        return StoreConfig(
            data_dir=self.data_dir,
            database_url=self.database_url,
            objects_url=self.objects_url,
            object_store=self._object_store,
            keyring_file=self.master_key_file,
            master_key=MasterKeyConfig(
                provider=self.master_key_provider,
                secret_file=self.master_key_secret_file,
                vault_url=self.master_key_vault_url,
                vault_key=self.master_key_vault_key,
                vault_ca=self.master_key_vault_ca,
            ),
            keep=timedelta(days=self.keep_days),
            mailbag_keep=timedelta(days=self.mailbag_days),
            maillog_keep=timedelta(days=self.maillog_days),
        )

    @property
    def _object_store(self) -> ObjectStoreConfig | None:
        place = bucket_in(self.objects_url)
        if place is None:
            return None
        if bool(self.objects_access_key) != bool(self.objects_secret_key):
            raise ConfigError("OBJECTS_ACCESS_KEY, OBJECTS_SECRET_KEY: expected both or none")
        return ObjectStoreConfig(
            bucket=place[0],
            prefix=place[1],
            endpoint=self.objects_endpoint,
            region=self.objects_region,
            access_key=self.objects_access_key,
            secret_key=self.objects_secret_key,
            timeout=timedelta(seconds=self.objects_timeout),
        )

    @property
    def certificate(self) -> CertificateFiles | None:
        """The files for TLS; ConfigError when one is given without the other, or is missing."""
        acme = self.acme
        if acme is not None:
            return Kept(acme.folder).files
        if self.tls_certificate is not None and self.tls_key is not None:
            return CertificateFiles(self.tls_certificate, self.tls_key)
        if self.tls_certificate is not None or self.tls_key is not None:
            raise ConfigError("TLS_CERTIFICATE, TLS_KEY: expected both or none")
        if self.smtp_logins:
            raise ConfigError(f"SMTP_LOGINS: {_NO_CERTIFICATE}")
        for name, where in (("HTTPS", self.https), ("SMTPS", self.smtps)):
            if where is not None:
                raise ConfigError(f"{name}: {_NO_CERTIFICATE}")
        return None

    @property
    def acme(self) -> AcmeConfig | None:
        """How certificates are got by ACME; None: they are not. Raises ConfigError."""
        if not self.acme_names:
            return None
        if self.tls_certificate is not None or self.tls_key is not None:
            raise ConfigError("ACME_NAMES: expected no TLS_CERTIFICATE and TLS_KEY with it")
        if not self.acme_agree_terms:
            text = f"to the terms of service that {self.acme_directory} names"
            raise ConfigError(f"ACME_AGREE_TERMS: expected yes with ACME_NAMES, to agree {text}")
        if self.acme_http is None:
            raise ConfigError("ACME_HTTP: expected HOST:PORT with ACME_NAMES")
        return AcmeConfig(
            names=self.acme_names,
            directory=self.acme_directory,
            contact=self.acme_contact,
            eab_kid=self.acme_eab_kid,
            eab_key=self.acme_eab_key,
            authorities=self.acme_authorities,
            http=self.acme_http,
            redirect=self.public_url if self.secure_cookies else "",
            folder=self.data_dir / "certificate",
        )

    @property
    def secure_cookies(self) -> bool:
        """Whether the pages are reached by TLS."""
        return self.public_url.startswith("https://")


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """Every setting that is given, by name, the environment over the file."""
    by_environment = {
        _known(name.removeprefix(PREFIX), name): value
        for name, value in environ.items()
        if name.startswith(PREFIX)
    }
    path = by_environment.pop(CONFIG_NAME, "")
    given = _from_file(Path(path).expanduser()) if path else {}
    for name in by_environment:
        # NAME in one place replaces NAME_FILE in the other, and the reverse.
        given.pop(name + FILE_SUFFIX, None)
        given.pop(name.removesuffix(FILE_SUFFIX), None)
    return given | by_environment


def _given_to_others(environ: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """What variables of others say of settings that are not given."""
    lacking = [s for s in SETTINGS if not {s.name, s.name + FILE_SUFFIX} & given.keys()]
    found = {s.name: next((environ[n] for n in s.also if environ.get(n)), "") for s in lacking}
    return {name: text for name, text in found.items() if text}


def _from_file(path: Path) -> dict[str, str]:
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"LIVEARCHIVE_CONFIG: cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # of TOML or of UTF-8
        raise ConfigError(f"LIVEARCHIVE_CONFIG: {path} is not TOML: {error}") from error
    given: dict[str, str] = {}
    for written, value in content.items():
        name = _known(written.upper().removeprefix(PREFIX), written)
        if name in given or name == CONFIG_NAME:
            raise ConfigError(f"{written}: cannot be set (again) in {path}")
        given[name] = _toml_text(written, value)
    return given


def _toml_text(name: str, value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    raise ConfigError(f"{name}: expected a text, a whole number or a list of texts")


def _known(name: str, written: str) -> str:
    if name in _KNOWN:
        return name
    near = difflib.get_close_matches(name, sorted(_KNOWN), n=1)
    hint = f"; did you mean {PREFIX}{near[0]}?" if near else ""
    raise ConfigError(f"{written}: no such setting{hint} (docs/settings.md lists them)")


def _value(setting: Setting, given: Mapping[str, str]) -> Any:
    text = given.get(setting.name)
    path = given.get(setting.name + FILE_SUFFIX) if setting.secret else None
    if text is not None and path is not None:
        raise ConfigError(f"{setting.variable}: set this or {setting.variable}_FILE, not both")
    if path is not None:
        text = _secret_in(setting, path)
    text = setting.default if text is None else text.strip()
    try:
        return setting.kind.parse(text)
    except ValueError as error:
        got = "" if setting.secret else f", not {text[:80]!r}"
        # The cause would carry the text of a secret into a traceback.
        cause = None if setting.secret else error
        raise ConfigError(f"{setting.variable}: expected {setting.kind.expects}{got}") from cause


def _secret_in(setting: Setting, path: str) -> str:
    name = setting.variable + FILE_SUFFIX
    try:
        with Path(path).expanduser().open(encoding="utf-8") as file:
            text = file.read(LARGEST_SECRET_FILE).strip()
    except OSError as error:
        raise ConfigError(f"{name}: cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: {path} is not text in UTF-8") from None
    if not text:
        raise ConfigError(f"{name}: {path} is empty")
    return text


def _system_name() -> str:
    name = socket.gethostname().lower()
    return name if is_host_name(name) else "localhost"


def _own_url(values: Mapping[str, Any]) -> str:
    https = values["https"]
    if values["acme_names"] and https is not None:
        port = "" if https.port == HTTPS_PORT else f":{https.port}"
        return f"https://{values['acme_names'][0]}{port}"
    return _local_url(values["http"], https)


def _local_url(http: HostPort | None, https: HostPort | None) -> str:
    scheme, where = ("https", https) if http is None and https else ("http", http)
    if where is None:
        return "http://localhost"
    try:
        everywhere = ip_address(where.host).is_unspecified
    except ValueError:
        everywhere = False
    return f"{scheme}://{HostPort('localhost', where.port) if everywhere else where}"
