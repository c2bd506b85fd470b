"""`livearchive domain add|list|show|set|enable|disable`; the others are beside this."""

from typing import Annotated, Any

import typer

from app.accounts import domains
from app.cli import journal
from app.cli.access import DataOption, keys_for, opened
from app.cli.output import Failed, JsonOption, emit, operator, say, table
from app.models import Domain
from app.viewer import Actor
from archive_store.clock import utc_now

app = typer.Typer(no_args_is_help=True)
journal.register(app)
Name = Annotated[str, typer.Argument(help="The domain, like acme.example.")]


@app.command()
def add(
    name: Name,
    relay: Annotated[
        str,
        typer.Option(help="HOST:PORT of the domain's own mail server; none: only store (copy)."),
    ],
    data: DataOption = None,
) -> None:
    """Add a domain."""
    with opened(data) as parts, keys_for(parts) as keys:
        with parts.db.write() as tx:
            where = domains.parse_relay(relay)
            domain = domains.add(tx, _actor(), name, where, utc_now())
        # Its mailbag and mail log need keys before the first mail.
        keys.ensure_keys()
    say(f"{domain.name} added; switch it on with `livearchive domain enable {domain.name}`")


@app.command("list")
def list_(json: JsonOption = False, data: DataOption = None) -> None:
    """All domains."""
    with opened(data) as parts, parts.db.read() as tx:
        found = [_facts(domain) for domain in domains.list_all(tx, _actor())]
    if json:
        for one in found:
            emit(one)
        return
    names = ("name", "mode", "relay", "enabled")
    table([[str(one[name]) for name in names] for one in found], [n.upper() for n in names])


@app.command()
def show(name: Name, json: JsonOption = False, data: DataOption = None) -> None:
    """One domain with all its settings."""
    with opened(data) as parts, parts.db.read() as tx:
        facts = _facts(domains.find(tx, _actor(), name))
    if json:
        emit(facts)
        return
    for key, value in facts.items():
        say(f"{key}: {value}")


@app.command("set")
def set_(
    name: Name,
    changes: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="What to change.")],
    data: DataOption = None,
) -> None:
    """Change a domain: relay, smarthost, relay-tls, smarthost-tls, dkim, sent-copies, checked-by,
    outside-notices, second-factor, unknown-recipients.
    """
    with opened(data) as parts, parts.db.write() as tx:
        domain = domains.find(tx, _actor(), name)
        domains.change(tx, _actor(), domain, pairs(changes), utc_now())
    say("changed")


@app.command()
def enable(
    name: Name,
    all_users: Annotated[
        bool, typer.Option("--all-users", help="Also for everybody who is there already.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Switch LiveArchive on: from now on mail of the domain is kept."""
    with opened(data) as parts, parts.db.write() as tx:
        domain = domains.find(tx, _actor(), name)
        domains.enable(tx, _actor(), domain, utc_now(), all_users=all_users)
    say(f"{name} is on" + ("" if all_users else ", for people added from now on"))


@app.command()
def disable(name: Name, data: DataOption = None) -> None:
    """Switch LiveArchive off: mail is handed on and not kept."""
    with opened(data) as parts, parts.db.write() as tx:
        domains.disable(tx, _actor(), domains.find(tx, _actor(), name), utc_now())
    say(f"{name} is off")


def pairs(texts: list[str]) -> dict[str, str]:
    """KEY=VALUE words as a mapping."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise Failed(f"expected KEY=VALUE, not {text!r}")
        found[key] = value
    return found


def _actor() -> Actor:
    return Actor.command_line(operator())


def _facts(domain: Domain) -> dict[str, Any]:
    return {
        "name": domain.name,
        "mode": domain.mode,
        **{key: change.read(domain) for key, change in domains.CHANGES.items()},
        "enabled": domain.enabled,
        "all-users": domain.all_users,
    }
