"""`livearchive outage open|close|list`."""

from typing import Annotated

import typer

from app.accounts import domains
from app.admin.outage_desk import outage_line
from app.admin_views import OutageLine
from app.cli.access import DataOption, opened
from app.cli.output import JsonOption, ReasonOption, emit, operator, reason, say, table
from app.delivery import outages
from app.viewer import Actor
from archive_store.clock import utc_now

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The domain, like acme.example.")]


@app.command("open")
def open_(
    name: Name,
    keep_mail: Annotated[
        bool, typer.Option("--keep-mail", help="Hand nothing on until the outage is closed.")
    ] = False,
    reason_given: ReasonOption = "",
    data: DataOption = None,
) -> None:
    """Say that there is an outage: people see a banner until it is closed."""
    why = reason(reason_given)
    with opened(data) as parts, parts.db.write() as tx:
        domain = domains.find(tx, _actor(), name)
        outages.declare(tx, _actor(), domain, why, utc_now(), keeps_mail=keep_mail)
    mail = "mail is kept back" if keep_mail else "mail is still tried"
    say(f"an outage of {name} is open, {mail}; end it with `livearchive outage close {name}`")


@app.command()
def close(name: Name, reason_given: ReasonOption = "", data: DataOption = None) -> None:
    """Say that an outage is over, whoever opened it: waiting mail is tried."""
    why = reason(reason_given)
    with opened(data) as parts, parts.db.write() as tx:
        outages.withdraw(tx, _actor(), domains.find(tx, _actor(), name), why, utc_now())
    say(f"the outage of {name} is closed")


@app.command("list")
def list_(name: Name, json: JsonOption = False, data: DataOption = None) -> None:
    """A domain's outages and slow times, newest first."""
    with opened(data) as parts, parts.db.read() as tx:
        domain, now = domains.find(tx, _actor(), name), utc_now()
        found = [outage_line(tx, one, now) for one in outages.latest(tx, domain.id)]
    if json:
        for one in found:
            emit(_as_json(one))
        return
    rows = [
        [
            f"{one.opened_at:%F %T}",
            f"{one.closed_at:%F %T}" if one.closed_at else "-",
            one.state,
            one.opened_by or "-",
            one.closed_by or "-",
            str(one.taken),
            str(one.waiting),
        ]
        for one in found
    ]
    table(rows, ["FROM", "UNTIL", "STATE", "OPENED BY", "CLOSED BY", "CAME IN", "WAITING"])


def _actor() -> Actor:
    return Actor.command_line(operator())


def _as_json(one: OutageLine) -> dict[str, object]:
    return {
        "state": one.state,
        "opened_at": one.opened_at.isoformat().replace("+00:00", "Z"),
        "closed_at": one.closed_at.isoformat().replace("+00:00", "Z") if one.closed_at else None,
        "opened_by": one.opened_by,
        "opened_why": one.opened_why,
        "closed_by": one.closed_by,
        "closed_why": one.closed_why,
        "keeps_mail": one.keeps_mail,
        "taken": one.taken,
        "waiting": one.waiting,
    }
