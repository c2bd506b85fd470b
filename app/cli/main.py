"""The root of the command tree, and what becomes of an error.

Exit status: 0 done, 1 failed (one line on standard error that a person can act
on), 2 wrong usage. With `--json` standard output has one JSON object a line and
nothing else.
"""

import os
import sys
from typing import Annotated

import typer

from app import __version__
from app.accounts.errors import AccountError
from app.audit.trail import AuditBroken
from app.cli import (
    audit,
    certificate,
    dkim,
    dns,
    domains,
    holds,
    identities,
    imap,
    keys,
    maillog,
    messages,
    outages,
    queue,
    service,
    smtp_login,
    store,
    users,
    webhooks,
)
from app.cli.output import Failed
from archive_store.errors import StoreError

app = typer.Typer(
    name="livearchive",
    help="E-mail continuity: read and answer your mail while its server is down.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
service.register(app)
dkim.register(domains.app)
dns.register(domains.app)
app.add_typer(domains.app, name="domain", help="Domains and where their own mail servers are.")
app.add_typer(users.app, name="user", help="People who may log in.")
app.add_typer(identities.app, name="identity", help="Addresses that people may send as.")
app.add_typer(messages.app, name="messages", help="Messages in a mailbox.")
messages.register(app)
app.add_typer(queue.app, name="queue", help="The mailbag: mail not yet handed on.")
app.add_typer(outages.app, name="outage", help="Outages of domains' own mail servers.")
app.add_typer(webhooks.app, name="webhook", help="Programs that are told of outages.")
app.add_typer(imap.app, name="imap", help="Sent folders on domains' own mail servers.")
app.add_typer(maillog.app, name="maillog", help="What became of a mail.")
app.add_typer(holds.app, name="hold", help="Legal holds: mail kept beyond its days.")
app.add_typer(audit.app, name="audit", help="The audit trail and its proof.")
app.add_typer(certificate.app, name="certificate", help="The TLS certificate, by ACME.")
app.add_typer(keys.app, name="keys", help="The keyring.")
store.register(app)
smtp_login.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"livearchive {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """E-mail continuity: read and answer your mail while its server is down."""


def main() -> None:
    """Run one command and end the process with its status; wrong usage ends inside of `app`."""
    # Whatever a command writes may hold mail or keys: it is for whoever typed it.
    os.umask(0o077)
    try:
        app()
    except (StoreError, AccountError, AuditBroken, Failed) as error:
        sys.exit(_say(str(error)))
    except BrokenPipeError:
        # Whoever read our output has enough of it.
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(_say(f"{where}{(error.strerror or type(error).__name__).lower()}"))


def _say(text: str) -> int:
    if text:
        sys.stderr.write(f"livearchive: {text}\n")
    return 1
