"""`livearchive domain dns`: the records of a domain, and whether they are as they should be."""

from typing import Any

import typer

from app.accounts import domains
from app.cli.access import DataOption, opened
from app.cli.domains import Name
from app.cli.output import JsonOption, emit, operator, say
from app.delivery.dns_check import Finding, Resolver, expected, look
from app.viewer import Actor


def register(app: typer.Typer) -> None:
    """Add the command to `livearchive domain`."""
    app.command("dns")(show)


def show(name: Name, json: JsonOption = False, data: DataOption = None) -> None:
    """Ask the DNS for a domain's MX, SPF, DKIM and DMARC, and say what is right."""
    with opened(data) as parts:
        with parts.db.read() as tx:
            domain = domains.find(tx, Actor.command_line(operator()), name)
            wanted = expected(domain, parts.config.hostname, parts.config.smarthost)
        findings = look(wanted, Resolver().ask)
    for one in findings:
        if json:
            emit(_facts(one))
        else:
            _say(one)


def _say(one: Finding) -> None:
    say(f"{one.kind} {one.host}: {one.result}")
    for text in one.found:
        say(f"  there is  {''.join(c if c.isprintable() else '?' for c in text)}")
    if one.result != "right":
        say(f"  should be {one.wanted}")


def _facts(one: Finding) -> dict[str, Any]:
    return {
        "record": one.kind,
        "host": one.host,
        "result": one.result.value,
        "found": list(one.found),
        "wanted": one.wanted,
    }
