"""The settings: where they come from, what they refuse, and that each is documented."""

import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.certificates.config import LETS_ENCRYPT
from app.config import SETTINGS, Config, HostPort
from app.config_table import settings_table
from archive_store.config import ObjectStoreConfig
from archive_store.errors import ConfigError

WITH_IT = "expected ACME_NAMES, or TLS_CERTIFICATE and TLS_KEY, with it"
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$YSBoYXNoIG9mIG5vdGhpbmc"
DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_without_settings_everything_has_its_default() -> None:
    config = Config.load({"HOME": "/nowhere"})
    assert config.data_dir == Path("/var/lib/livearchive")
    assert config.http == HostPort("127.0.0.1", 8025)
    assert config.public_url == "http://127.0.0.1:8025"
    assert config.keep_days == 7
    assert config.max_message_size == 50 * 1024 * 1024
    assert config.store.keep == timedelta(days=7)
    assert not config.secure_cookies


def test_every_setting_can_be_given_by_its_variable(tmp_path: Path) -> None:
    config = Config.load(
        {
            "LIVEARCHIVE_DATA_DIR": str(tmp_path),
            "LIVEARCHIVE_DATABASE_URL": "postgresql+psycopg://la@db/la",
            "LIVEARCHIVE_OBJECTS_URL": "s3://mail/archive",
            "LIVEARCHIVE_OBJECTS_ENDPOINT": "https://s3.example",
            "LIVEARCHIVE_OBJECTS_REGION": "eu-central-1",
            "LIVEARCHIVE_OBJECTS_ACCESS_KEY": "id",
            "LIVEARCHIVE_OBJECTS_SECRET_KEY": "secret",
            "LIVEARCHIVE_OBJECTS_TIMEOUT": "5",
            "LIVEARCHIVE_MASTER_KEY_FILE": "/run/keyring",
            "LIVEARCHIVE_MASTER_KEY_PROVIDER": "passphrase",
            "LIVEARCHIVE_REMOTE_PICTURES": "no",
            "LIVEARCHIVE_WEBHOOKS_PRIVATE": "yes",
            "LIVEARCHIVE_WIPE_MEMORY": "no",
            "LIVEARCHIVE_MASTER_KEY_SECRET_FILE": "/run/passphrase",
            "LIVEARCHIVE_MASTER_KEY_VAULT_URL": "https://vault.acme.example:8200",
            "LIVEARCHIVE_MASTER_KEY_VAULT_KEY": "seals/mail",
            "LIVEARCHIVE_MASTER_KEY_VAULT_CA": "/run/ca.pem",
            "LIVEARCHIVE_PUBLIC_URL": "https://archive.example/",
            "LIVEARCHIVE_HTTP": "[::1]:80",
            "LIVEARCHIVE_SMTP": "0.0.0.0:25",
            "LIVEARCHIVE_LMTP": "none",
            "LIVEARCHIVE_HTTPS": "0.0.0.0:443",
            "LIVEARCHIVE_SMTPS": "0.0.0.0:465",
            "LIVEARCHIVE_TLS_CERTIFICATE": "/etc/tls/chain.pem",
            "LIVEARCHIVE_TLS_KEY": "/etc/tls/key.pem",
            "LIVEARCHIVE_TLS_AUTHORITIES": "/etc/tls/authorities.pem",
            "LIVEARCHIVE_HOSTNAME": "Archive.Example",
            "LIVEARCHIVE_SMARTHOST": "out.example:587",
            "LIVEARCHIVE_MAX_MESSAGE_SIZE": "25 MiB",
            "LIVEARCHIVE_CLAMD": "/run/clamav/clamd.ctl",
            "LIVEARCHIVE_KEEP_DAYS": "30",
            "LIVEARCHIVE_MAILBAG_DAYS": "3",
            "LIVEARCHIVE_UNDO_SECONDS": "0",
            "LIVEARCHIVE_OFFLINE": "no",
            "LIVEARCHIVE_MAILLOG_DAYS": "60",
            "LIVEARCHIVE_TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8",
            "LIVEARCHIVE_SMTP_PROXIES": "192.0.2.1/32",
            "LIVEARCHIVE_LMTP_PROXIES": "192.0.2.2",
            "LIVEARCHIVE_SMTPS_PROXIES": "192.0.2.5",
            "LIVEARCHIVE_XCLIENT_HOSTS": "192.0.2.3",
            "LIVEARCHIVE_XFORWARD_HOSTS": "192.0.2.4",
            "LIVEARCHIVE_TRUSTED_FEEDS": "2001:db8::/64",
            "LIVEARCHIVE_SMTP_LOGINS": f"mx1:{HASH},mx-2:{HASH}\nmx3:{HASH}",
            "LIVEARCHIVE_SMTP_LOGIN_REQUIRED": "Yes",
            "LIVEARCHIVE_HELD_OPENS": "12",
            "LIVEARCHIVE_LOG_LEVEL": "DEBUG",
        }
    )
    assert config == Config(
        data_dir=tmp_path,
        database_url="postgresql+psycopg://la@db/la",
        objects_url="s3://mail/archive",
        objects_endpoint="https://s3.example",
        objects_region="eu-central-1",
        objects_access_key="id",
        objects_secret_key="secret",
        objects_timeout=5,
        master_key_file=Path("/run/keyring"),
        master_key_provider="passphrase",
        webhooks_private=True,
        remote_pictures=False,
        clamd=Path("/run/clamav/clamd.ctl"),
        wipe_memory=False,
        master_key_secret_file=Path("/run/passphrase"),
        master_key_vault_url="https://vault.acme.example:8200",
        master_key_vault_key="seals/mail",
        master_key_vault_ca=Path("/run/ca.pem"),
        public_url="https://archive.example",
        http=HostPort("::1", 80),
        smtp=HostPort("0.0.0.0", 25),
        lmtp=None,
        https=HostPort("0.0.0.0", 443),
        smtps=HostPort("0.0.0.0", 465),
        tls_certificate=Path("/etc/tls/chain.pem"),
        tls_key=Path("/etc/tls/key.pem"),
        tls_authorities=Path("/etc/tls/authorities.pem"),
        acme_names=(),
        acme_agree_terms=False,
        acme_directory=LETS_ENCRYPT,
        acme_contact="",
        acme_eab_kid="",
        acme_eab_key="",
        acme_authorities=None,
        acme_http=HostPort("0.0.0.0", 80),
        hostname="archive.example",
        smarthost=HostPort("out.example", 587),
        max_message_size=25 * 1024 * 1024,
        keep_days=30,
        mailbag_days=3,
        undo_seconds=0,
        offline=False,
        maillog_days=60,
        send_per_hour=200,
        send_per_day=1000,
        send_domain_per_hour=2000,
        send_domain_per_day=10_000,
        trusted_proxies=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")),
        smtp_proxies=(ip_network("192.0.2.1/32"),),
        lmtp_proxies=(ip_network("192.0.2.2/32"),),
        smtps_proxies=(ip_network("192.0.2.5/32"),),
        xclient_hosts=(ip_network("192.0.2.3/32"),),
        xforward_hosts=(ip_network("192.0.2.4/32"),),
        trusted_feeds=(ip_network("2001:db8::/64"),),
        smtp_logins=(("mx1", HASH), ("mx-2", HASH), ("mx3", HASH)),
        smtp_login_required=True,
        held_opens=12,
        log_level="debug",
    )
    assert config.secure_cookies
    assert str(config.http) == "[::1]:80"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATA_DIR", ""),
        ("DATABASE_URL", "mysql://db/la"),
        ("DATABASE_URL", "postgres://db/la"),
        ("OBJECTS_URL", "file:relative"),
        ("OBJECTS_URL", "s3://bucket/../other"),
        ("OBJECTS_URL", "s3://Bucket"),
        ("OBJECTS_URL", "s3:bucket"),
        ("OBJECTS_URL", "s3://key:secret@bucket"),
        ("OBJECTS_ENDPOINT", "s3.example:9000"),
        ("OBJECTS_ENDPOINT", "https://key:secret@s3.example"),
        ("OBJECTS_REGION", "eu central"),
        ("OBJECTS_TIMEOUT", "0"),
        ("OBJECTS_URL", "/srv"),
        ("PUBLIC_URL", "archive.example"),
        ("PUBLIC_URL", "https://archive.example/mail"),
        ("PUBLIC_URL", "https://me:secret@archive.example"),
        ("PUBLIC_URL", "javascript:alert(1)"),
        ("SMTP_LOGINS", "mx1:secret"),
        ("SMTP_LOGINS", HASH),
        ("SMTP_LOGINS", f"mx1:{HASH} mx1:{HASH}"),
        ("SMTP_LOGINS", f"m x:{HASH}"),
        ("SMTP_LOGIN_REQUIRED", "maybe"),
        ("HTTP", "8025"),
        ("HTTP", "127.0.0.1:65536"),
        ("HTTP", "::1:80"),
        ("SMTP", "two words:25"),
        ("SMTP", "[nonsense]:25"),
        ("LMTP", ""),
        ("HOSTNAME", "a_b!.example"),
        ("SMARTHOST", "out.example:0"),
        ("MAX_MESSAGE_SIZE", "12"),
        ("MAX_MESSAGE_SIZE", "2G"),
        ("MAX_MESSAGE_SIZE", "1.5M"),
        ("KEEP_DAYS", "0"),
        ("KEEP_DAYS", "91"),
        ("KEEP_DAYS", "seven"),
        ("KEEP_DAYS", "٧"),
        ("MAILBAG_DAYS", "-1"),
        ("MAILLOG_DAYS", "7.5"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_an_invalid_value_is_refused_with_its_name_and_what_is_expected(
    name: str, value: str
) -> None:
    setting = next(s for s in SETTINGS if s.name == name)
    with pytest.raises(ConfigError) as caught:
        Config.load({f"LIVEARCHIVE_{name}": value})
    text = str(caught.value)
    assert text.startswith(f"LIVEARCHIVE_{name}: expected {setting.kind.expects}")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("LIVEARCHIVE_KEEP_DAY", "LIVEARCHIVE_KEEP_DAYS"),
        ("LIVEARCHIVE_MASTER_KEY", "LIVEARCHIVE_MASTER_KEY_FILE"),
        ("LIVEARCHIVE_KEEP_DAYS_FILE", "LIVEARCHIVE_KEEP_DAYS"),
        ("LIVEARCHIVE_data_dir", ""),
    ],
)
def test_an_unknown_name_is_refused_and_the_nearest_named(written: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=f"^{written}: no such setting") as caught:
        Config.load({written: "7"})
    assert hint in str(caught.value)


def test_segments_in_an_object_store_and_their_keys_in_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("very-secret\n")
    config = Config.load(
        {
            "LIVEARCHIVE_OBJECTS_URL": "s3://mail/of/all/",
            "LIVEARCHIVE_OBJECTS_ACCESS_KEY": "id",
            "LIVEARCHIVE_OBJECTS_SECRET_KEY_FILE": str(tmp_path / "key"),
        }
    )
    assert config.store.object_store == ObjectStoreConfig(
        bucket="mail", prefix="of/all", access_key="id", secret_key="very-secret"
    )
    assert "very-secret" not in repr(config)
    assert "very-secret" not in repr(config.store)
    with pytest.raises(ConfigError, match="OBJECTS_URL: the segments lie in no folder"):
        _ = config.store.objects_dir


def test_the_usual_variables_of_object_stores_count_where_ours_are_not_given(
    tmp_path: Path,
) -> None:
    (tmp_path / "key").write_text("ours\n")
    usual = {
        "LIVEARCHIVE_OBJECTS_URL": "s3://mail",
        "AWS_ENDPOINT_URL": "http://localhost:9000",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "theirs",
    }
    found = Config.load(usual).store.object_store
    assert found == ObjectStoreConfig(
        bucket="mail",
        endpoint="http://localhost:9000",
        region="eu-west-1",
        access_key="id",
        secret_key="theirs",
    )
    ours = Config.load(
        usual
        | {
            "LIVEARCHIVE_OBJECTS_REGION": "eu-central-1",
            "LIVEARCHIVE_OBJECTS_SECRET_KEY_FILE": str(tmp_path / "key"),
        }
    )
    assert (ours.objects_region, ours.objects_secret_key) == ("eu-central-1", "ours")


def test_half_an_access_key_is_refused() -> None:
    given = {"LIVEARCHIVE_OBJECTS_URL": "s3://mail", "LIVEARCHIVE_OBJECTS_ACCESS_KEY": "id"}
    with pytest.raises(ConfigError, match="OBJECTS_SECRET_KEY: expected both or none"):
        _ = Config.load(given).store


def test_names_of_other_programs_are_none_of_our_business() -> None:
    assert Config.load({"LIVE_ARCHIVE_X": "1", "KEEP_DAYS": "2"}).keep_days == 7


def test_the_environment_wins_over_the_file_and_an_option_over_both(tmp_path: Path) -> None:
    file = tmp_path / "la.toml"
    file.write_text(
        'LIVEARCHIVE_KEEP_DAYS = 3\nmailbag_days = "4"\nLOG_LEVEL = "error"\n'
        'trusted_proxies = ["10.0.0.0/8", "fd00::/8"]\n'
    )
    environ = {"LIVEARCHIVE_CONFIG": str(file), "LIVEARCHIVE_MAILBAG_DAYS": "5"}
    config = Config.load(environ, {"LOG_LEVEL": "debug"})
    assert (config.keep_days, config.mailbag_days, config.log_level) == (3, 5, "debug")
    assert len(config.trusted_proxies) == 2


@pytest.mark.parametrize(
    "content",
    [
        "keep_days = true",
        "keep_days = 7.0",
        "keep_dayz = 7",
        "keep_days = 7\nKEEP_DAYS = 7",
        "config = 'other.toml'",
        "[keep_days]\na = 1",
        "trusted_proxies = [1]",
        "not toml",
        "keep_days = 100",
    ],
)
def test_a_file_is_checked_as_strictly(content: str, tmp_path: Path) -> None:
    file = tmp_path / "la.toml"
    file.write_text(content)
    with pytest.raises(ConfigError):
        Config.load({"LIVEARCHIVE_CONFIG": str(file)})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"LIVEARCHIVE_CONFIG: cannot read .*gone\.toml"):
        Config.load({"LIVEARCHIVE_CONFIG": str(tmp_path / "gone.toml")})


def test_a_secret_can_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://la:pw@db/la\n")
    config = Config.load({"LIVEARCHIVE_DATABASE_URL_FILE": str(file)})
    assert config.database_url == "postgresql://la:pw@db/la"


def test_an_option_replaces_a_secret_file(tmp_path: Path) -> None:
    environ = {"LIVEARCHIVE_DATABASE_URL_FILE": str(tmp_path / "gone")}
    assert Config.load(environ, {"DATABASE_URL": "sqlite:////a.db"}).database_url


def test_the_environment_replaces_a_secret_of_the_file(tmp_path: Path) -> None:
    toml = tmp_path / "la.toml"
    toml.write_text('database_url_file = "/gone"')
    environ = {"LIVEARCHIVE_CONFIG": str(toml), "LIVEARCHIVE_DATABASE_URL": "sqlite:////a.db"}
    assert Config.load(environ).database_url == "sqlite:////a.db"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_an_unreadable_secret_file_is_named(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "url"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"^LIVEARCHIVE_DATABASE_URL_FILE: .*url"):
        Config.load({"LIVEARCHIVE_DATABASE_URL_FILE": str(file)})


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    environ = {
        "LIVEARCHIVE_DATABASE_URL": "sqlite:////a.db",
        "LIVEARCHIVE_DATABASE_URL_FILE": str(tmp_path / "b"),
    }
    with pytest.raises(ConfigError, match="not both"):
        Config.load(environ)


def test_a_secret_is_quoted_by_no_error_and_no_print() -> None:
    with pytest.raises(ConfigError) as caught:
        Config.load({"LIVEARCHIVE_DATABASE_URL": "mysql://la:canary@db/la"})
    assert "canary" not in str(caught.value)
    config = Config.load({"LIVEARCHIVE_DATABASE_URL": "postgresql://la:canary@db/la"})
    assert "canary" not in repr(config)


def test_pages_that_listen_everywhere_are_reached_at_this_machine() -> None:
    assert Config.load({"LIVEARCHIVE_HTTP": "0.0.0.0:80"}).public_url == "http://localhost:80"


def test_a_relative_data_folder_is_fixed_at_the_start() -> None:
    assert Config.load({"LIVEARCHIVE_DATA_DIR": "here"}).data_dir == Path.cwd() / "here"


def test_every_setting_is_documented_and_none_besides() -> None:
    text = DOCS.read_text("utf-8")
    assert settings_table() in text
    named = set(re.findall(r"LIVEARCHIVE_([A-Z_]+[A-Z])", text))
    known = {s.name for s in SETTINGS} | {f"{s.name}_FILE" for s in SETTINGS if s.secret}
    assert named - {"CONFIG"} <= known


def test_every_default_is_valid_and_every_name_has_a_field() -> None:
    assert {s.field for s in SETTINGS} == set(Config.__dataclass_fields__)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"TLS_CERTIFICATE": "/a"}, "TLS_CERTIFICATE, TLS_KEY: expected both or none"),
        ({"TLS_KEY": "/a"}, "TLS_CERTIFICATE, TLS_KEY: expected both or none"),
        ({"SMTPS": "127.0.0.1:465"}, f"SMTPS: {WITH_IT}"),
        ({"HTTPS": "127.0.0.1:443"}, f"HTTPS: {WITH_IT}"),
    ],
)
def test_half_a_certificate_is_refused(given: dict[str, str], says: str) -> None:
    config = Config.load({f"LIVEARCHIVE_{name}": text for name, text in given.items()})
    with pytest.raises(ConfigError, match=f"^{says}$"):
        _ = config.certificate


def test_pages_that_are_reached_by_tls_alone_have_such_an_address() -> None:
    config = Config.load({"LIVEARCHIVE_HTTP": "none", "LIVEARCHIVE_HTTPS": "0.0.0.0:8443"})
    assert config.public_url == "https://localhost:8443"
    assert config.secure_cookies
