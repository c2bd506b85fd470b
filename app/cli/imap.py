"""`livearchive imap set|test|show|remove`."""

import ssl
import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from app.accounts import domains
from app.cli.access import DataOption, keys_for, opened
from app.cli.output import Failed, JsonOption, emit, operator, say
from app.models import ImapAccess
from app.secret import Secret
from app.viewer import Actor
from app.wayback import access, imap
from app.wayback.access import Login, Names, Tls
from app.wayback.imap import ImapTrouble
from archive_store.clock import utc_now

app = typer.Typer(no_args_is_help=True, help="The domain's own mailboxes, by IMAP.")
IMAPS, IMAP = 993, 143

Name = Annotated[str, typer.Argument(help="The domain, like acme.example.")]
Port = Annotated[int, typer.Option(help="Else 993, or 143 with --tls starttls or none.")]
TlsOption = Annotated[Tls, typer.Option(help="none: only to a server on this machine.")]
LoginOption = Annotated[Login, typer.Option(help="star: logs in as MAILBOX*MASTER.")]
NamesOption = Annotated[Names, typer.Option(help="What a mailbox is called there.")]
SentFolder = Annotated[str, typer.Option(help="Else the one that the server calls \\Sent.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@app.command("set")
def set_(
    name: Name,
    host: Annotated[str, typer.Argument(help="The IMAP server.")],
    master: Annotated[str, typer.Option(help="The user who may open every mailbox.")],
    port: Port = 0,
    tls: TlsOption = Tls.IMPLICIT,
    login: LoginOption = Login.PLAIN,
    names: NamesOption = Names.ADDRESS,
    sent_folder: SentFolder = "",
    password_stdin: FromStdin = False,
    data: DataOption = None,
) -> None:
    """Set the server to which what people send goes, into their Sent folders."""
    wish = access.Wish(
        host=host,
        port=port or (IMAPS if tls is Tls.IMPLICIT else IMAP),
        tls=tls,
        master=master,
        login=login,
        names=names,
        sent_folder=sent_folder,
    )
    access.check(wish)
    with opened(data) as parts:
        with parts.db.read() as tx:
            domain_id = domains.find(tx, _actor(), name).id
        password = _password(stdin=password_stdin)
        with keys_for(parts) as keys:
            keys.set_imap(operator(), domain_id, asdict(wish), password)
    say(f"set; try it with `livearchive imap test {name} MAILBOX`")


@app.command("test")
def try_out(
    name: Name,
    mailbox: Annotated[str, typer.Argument(help="The address of somebody who agrees.")],
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Log in to a mailbox and say which folders are there. No mail is looked at."""
    with opened(data) as parts:
        with parts.db.read() as tx:
            domain = domains.find(tx, _actor(), name)
            row = tx.get(ImapAccess, domain.id)
        if row is None:
            raise Failed(f"{name} has no IMAP server")
        with keys_for(parts) as keys:
            password = keys.try_imap(operator(), domain.id, mailbox)
        context = ssl.create_default_context()
        if parts.config.tls_authorities is not None:
            context.load_verify_locations(parts.config.tls_authorities)
    try:
        with imap.mailbox(row, mailbox, password, context, imap.Patience()) as box:
            _tell(_seen(mailbox, box), json=json)
    except ImapTrouble as trouble:
        raise Failed(f"{row.host}: {trouble}") from None


@app.command()
def show(name: Name, json: JsonOption = False, data: DataOption = None) -> None:
    """How a domain's mailboxes are reached. The password is never shown."""
    with opened(data) as parts, parts.db.read() as tx:
        domain = domains.find(tx, _actor(), name)
        row = tx.get(ImapAccess, domain.id)
        copies = access.wants_copies(tx, domain)
    found: dict[str, Any] = {
        "imap": "on" if row else "off",
        "sent-copies": ("by IMAP" if row else "by SMTP") if copies else "off",
    }
    if row is not None:
        facts = ("host", "port", "tls", "master", "login", "names")
        found |= {fact: getattr(row, fact) for fact in facts}
        found["sent-folder"] = row.sent_folder or "as the server says"
        found["rests-until"] = row.rests_until.isoformat() if row.rests_until else ""
    _tell(found, json=json)


@app.command()
def remove(name: Name, data: DataOption = None) -> None:
    """Reach the domain's mailboxes by IMAP no more."""
    with opened(data) as parts, parts.db.write() as tx:
        access.remove(tx, _actor(), domains.find(tx, _actor(), name), utc_now())
    say("removed")


def _seen(mailbox: str, box: imap.Mailbox) -> dict[str, Any]:
    folders, sent = box.folders(), box.sent_folder()
    return {
        "mailbox": mailbox,
        "folders": ", ".join(folders),
        "sent": sent if sent in folders else f"{sent} (is made with the first copy)",
    }


def _tell(found: dict[str, Any], *, json: bool) -> None:
    if json:
        emit(found)
        return
    for key, value in found.items():
        say(f"{key}: {value}")


def _password(*, stdin: bool) -> Secret:
    if stdin:
        text = sys.stdin.readline().rstrip("\r\n")
    else:
        text = str(typer.prompt("Password of the master user", hide_input=True, err=True))
    if not text or "\0" in text:
        raise Failed("no password given")
    return Secret(text)


def _actor() -> Actor:
    return Actor.command_line(operator())
