"""The table of all settings: name, default, kind, and what each is.

The parser (`app.config`), the documentation and its test read it.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.certificates.config import CONTACT, DIRECTORY, LETS_ENCRYPT, NAMES
from app.config_kinds import (
    CLAMD,
    DATABASE_URL,
    FILE,
    FOLDER,
    HOST_NAME,
    LEVEL,
    LISTENER,
    LOGINS,
    MASTER_KEY,
    NETWORKS,
    OBJECTS_URL,
    PUBLIC_URL,
    REGION,
    SERVER,
    SIZE,
    TEXT,
    YES,
    Kind,
    whole,
)

PREFIX = "LIVEARCHIVE_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table. `default` is the text a setting has when it is not given."""

    name: str
    default: str
    kind: Kind
    help: str
    secret: bool = False
    also: tuple[str, ...] = ()  # variables of others that count where ours is not given

    @property
    def field(self) -> str:
        return self.name.lower()

    @property
    def variable(self) -> str:
        return PREFIX + self.name


SETTINGS: tuple[Setting, ...] = (
    Setting("DATA_DIR", "/var/lib/livearchive", FOLDER, "The folder of all that is kept."),
    Setting(
        "DATABASE_URL",
        "",
        DATABASE_URL,
        "The database. Empty: SQLite in the data folder.",
        secret=True,
    ),
    Setting(
        "OBJECTS_URL",
        "",
        OBJECTS_URL,
        "Where the sealed octets of mail go. Empty: a folder in the data folder.",
    ),
    Setting(
        "OBJECTS_ENDPOINT",
        "",
        PUBLIC_URL,
        "Where an object store that is not Amazon's answers.",
        also=("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    ),
    Setting(
        "OBJECTS_REGION",
        "us-east-1",
        REGION,
        "The region that requests to the object store are signed for.",
        also=("AWS_REGION", "AWS_DEFAULT_REGION"),
    ),
    Setting(
        "OBJECTS_ACCESS_KEY",
        "",
        TEXT,
        "The id of the access key to the object store. Empty: what the machine itself is given.",
        secret=True,
        also=("AWS_ACCESS_KEY_ID",),
    ),
    Setting(
        "OBJECTS_SECRET_KEY",
        "",
        TEXT,
        "The secret of that access key.",
        secret=True,
        also=("AWS_SECRET_ACCESS_KEY",),
    ),
    Setting(
        "OBJECTS_TIMEOUT",
        "15",
        whole(1, 60),
        "How many seconds a request to the object store may take, also with 64 MB of mail.",
    ),
    Setting(
        "MASTER_KEY_FILE",
        "",
        FILE,
        "The keyring file, whose keys open the stored mail. Empty: `keys/keyring.json` in "
        "the data folder; better a path that no backup of the data takes along.",
    ),
    Setting(
        "MASTER_KEY_PROVIDER",
        "file",
        MASTER_KEY,
        "What the keyring file is sealed under. `file`: nothing, it is plain.",
    ),
    Setting(
        "MASTER_KEY_SECRET_FILE",
        "",
        FILE,
        "The file with the passphrase, the secret or the token of that provider, read by the keys "
        "role alone. Empty, with `credential`: `livearchive-master-key` in "
        "`$CREDENTIALS_DIRECTORY`.",
    ),
    Setting(
        "MASTER_KEY_VAULT_URL",
        "",
        PUBLIC_URL,
        "Where Vault answers, for the provider `vault`; its token is in `MASTER_KEY_SECRET_FILE`.",
    ),
    Setting(
        "MASTER_KEY_VAULT_KEY",
        "transit/livearchive",
        TEXT,
        "The key of Vault's transit engine, as MOUNT/NAME; for this keyring alone.",
    ),
    Setting(
        "MASTER_KEY_VAULT_CA",
        "",
        FILE,
        "The authorities (PEM) that Vault's certificate is checked with. Empty: the system's.",
    ),
    Setting(
        "PUBLIC_URL",
        "",
        PUBLIC_URL,
        "The address under which people reach the pages. Empty: made from `HTTP`. "
        "With `https:` cookies are marked secure.",
    ),
    Setting("HTTP", "127.0.0.1:8025", LISTENER, "Where the web pages listen."),
    Setting("SMTP", "127.0.0.1:2525", LISTENER, "Where mail comes in by SMTP."),
    Setting("LMTP", "127.0.0.1:2424", LISTENER, "Where mail comes in by LMTP."),
    Setting("HTTPS", "none", LISTENER, "Where the web pages listen with TLS."),
    Setting("SMTPS", "none", LISTENER, "Where mail comes in by SMTP with TLS from the start."),
    Setting(
        "TLS_CERTIFICATE",
        "",
        FILE,
        "The certificate and its chain (PEM) for `HTTPS`, `SMTPS`, and STARTTLS on `SMTP` and "
        "`LMTP`. Renewed files are taken within a minute, without a restart.",
    ),
    Setting("TLS_KEY", "", FILE, "The private key of the certificate (PEM)."),
    Setting(
        "TLS_AUTHORITIES",
        "",
        FILE,
        "Authorities (PEM) that count beside the system's when a domain has its mail server's "
        "certificate checked.",
    ),
    Setting(
        "ACME_NAMES",
        "",
        NAMES,
        "The names for which LiveArchive gets its certificate itself, by ACME, in the place of "
        "`TLS_CERTIFICATE`. The first is that of the pages.",
    ),
    Setting(
        "ACME_AGREE_TERMS",
        "no",
        YES,
        "Whether you agree to the terms of service of the authority behind `ACME_DIRECTORY`.",
    ),
    Setting("ACME_DIRECTORY", LETS_ENCRYPT, DIRECTORY, "The authority."),
    Setting("ACME_CONTACT", "", CONTACT, "Whom the authority may write to."),
    Setting(
        "ACME_EAB_KID", "", TEXT, "The id of the account that the authority gave you beforehand."
    ),
    Setting("ACME_EAB_KEY", "", TEXT, "The key of that account (base64url).", secret=True),
    Setting(
        "ACME_AUTHORITIES",
        "",
        FILE,
        "The authorities (PEM) that the certificate of `ACME_DIRECTORY` itself is checked with. "
        "Empty: those of the Python package certifi.",
    ),
    Setting(
        "ACME_HTTP",
        "0.0.0.0:80",
        LISTENER,
        "Where the authority's challenges are answered; it asks on port 80. The rest of it is sent "
        "to `PUBLIC_URL`. `[::]:80` takes IPv4 too.",
    ),
    Setting(
        "HOSTNAME",
        "",
        HOST_NAME,
        "This server's name in SMTP greetings and Received lines. Empty: the system's name.",
    ),
    Setting(
        "SMARTHOST",
        "",
        SERVER,
        "The server that takes mail to the outside. Empty: the MX of each recipient's domain.",
    ),
    Setting("MAX_MESSAGE_SIZE", "50M", SIZE, "The largest message taken, in octets (K, M, G)."),
    Setting(
        "WEBHOOKS_PRIVATE",
        "no",
        YES,
        "Whether webhooks may go to this machine and to private networks, and in plain http.",
    ),
    Setting(
        "REMOTE_PICTURES",
        "yes",
        YES,
        "Whether people may have pictures from outside shown, which the web role then fetches.",
    ),
    Setting(
        "CLAMD",
        "",
        CLAMD,
        "Where clamd (ClamAV) answers, which looks for viruses in mail. Empty: nothing is checked.",
    ),
    Setting(
        "WIPE_MEMORY",
        "yes",
        YES,
        "Whether the processes that take mail overwrite what they free, so that at rest they "
        "hold no mail. Costs a few hundredths of the rate.",
    ),
    Setting("KEEP_DAYS", "7", whole(1, 90), "How many days a message can be read."),
    Setting(
        "MAILBAG_DAYS",
        "7",
        whole(1, 30),
        "How many days delivery to a primary is tried before its sender is told.",
    ),
    Setting(
        "UNDO_SECONDS",
        "15",
        whole(0, 120),
        "How many seconds what people send waits here, so that they can take it back. 0: not at "
        "all. The button for it goes five seconds earlier.",
    ),
    Setting(
        "OFFLINE",
        "yes",
        YES,
        "Whether people may have what they read kept on their own devices, sealed, to read it "
        "there without a line.",
    ),
    Setting("MAILLOG_DAYS", "30", whole(1, 400), "How many days the mail log is kept."),
    Setting(
        "SEND_PER_HOUR",
        "200",
        whole(0, 1_000_000),
        "To how many recipients a person may send in an hour of the clock. 0: no limit.",
    ),
    Setting("SEND_PER_DAY", "1000", whole(0, 1_000_000), "The same in 24 hours."),
    Setting(
        "SEND_DOMAIN_PER_HOUR",
        "2000",
        whole(0, 1_000_000),
        "To how many recipients all people of a domain may send in an hour. 0: no limit.",
    ),
    Setting("SEND_DOMAIN_PER_DAY", "10000", whole(0, 1_000_000), "The same in 24 hours."),
    Setting(
        "TRUSTED_PROXIES",
        "",
        NETWORKS,
        "Reverse proxies whose X-Forwarded-For is believed.",
    ),
    Setting(
        "SMTP_PROXIES",
        "",
        NETWORKS,
        "Load balancers before `SMTP`: their connections must begin with a PROXY header, of "
        "version 1 or 2, and the client that it names counts.",
    ),
    Setting("LMTP_PROXIES", "", NETWORKS, "The same before `LMTP`."),
    Setting(
        "SMTPS_PROXIES",
        "",
        NETWORKS,
        "The same before `SMTPS`; the header comes before TLS begins.",
    ),
    Setting(
        "XCLIENT_HOSTS",
        "",
        NETWORKS,
        "Mail proxies that may name their client by XCLIENT; it counts from then on.",
    ),
    Setting(
        "XFORWARD_HOSTS",
        "",
        NETWORKS,
        "Mail servers that may say by XFORWARD where a mail came from, for the mail log.",
    ),
    Setting(
        "TRUSTED_FEEDS",
        "",
        NETWORKS,
        "Mail servers whose mail may have a bare CR, a bare LF or a NUL. It is kept as it came; "
        "what is handed on has CR LF. From anybody else such mail is refused.",
    ),
    Setting(
        "SMTP_LOGINS",
        "",
        LOGINS,
        "Servers that may log in by AUTH (PLAIN, LOGIN) once TLS has begun: a name and the hash "
        "of a password each.",
        secret=True,
    ),
    Setting(
        "SMTP_LOGIN_REQUIRED",
        "no",
        YES,
        "Whether `SMTP` and `SMTPS` take mail only from servers that have logged in.",
    ),
    Setting(
        "HELD_OPENS",
        "30",
        whole(1, 10_000),
        "How many messages under legal holds an auditor may open in a minute on the pages.",
    ),
    Setting("LOG_LEVEL", "info", LEVEL, "How much goes to the log; mail never does."),
)


def settings_table() -> str:
    """The table of docs/settings.md, in Markdown."""
    lines = ["| setting | default | expected | what it is |", "| --- | --- | --- | --- |"]
    for setting in SETTINGS:
        default = f"`{setting.default}`" if setting.default else "empty"
        more = f" Not given: `{'`, `'.join(setting.also)}`." * bool(setting.also)
        more += f" A secret: `{setting.name}_FILE` may name a file with it." * setting.secret
        lines.append(
            f"| `{setting.variable}` | {default} | {setting.kind.expects} | {setting.help}{more} |"
        )
    return "\n".join(lines) + "\n"
