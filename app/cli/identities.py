"""`livearchive identity add|list|remove`."""

from typing import Annotated

import typer

from app.accounts import identities, users
from app.cli.access import DataOption, opened
from app.cli.output import JsonOption, emit, operator, say, table
from app.viewer import Actor
from archive_store.clock import utc_now

app = typer.Typer(no_args_is_help=True)
Address = Annotated[str, typer.Argument(help="The person's own mail address.")]


@app.command()
def add(
    address: Address,
    identity: Annotated[str, typer.Argument(help='"Display Name <other@address>"')],
    receive: Annotated[
        bool, typer.Option("--receive", help="Mail to that address comes into the mailbox, too.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Let a person send as a further address."""
    with opened(data) as parts, parts.db.write() as tx:
        user = users.find(tx, _actor(), address)
        new = identities.parse(identity, receive=receive)
        identities.add(tx, _actor(), user, new, utc_now())
    say("added")


@app.command("list")
def list_(address: Address, json: JsonOption = False, data: DataOption = None) -> None:
    """A person's identities, the own address first."""
    with opened(data) as parts, parts.db.read() as tx:
        found = identities.list_of(tx, users.find(tx, _actor(), address).id)
        facts = [
            {
                "address": one.address,
                "name": one.display_name,
                "receive": one.receive,
                "primary": one.primary,
            }
            for one in found
        ]
    if json:
        for one in facts:
            emit(one)
        return
    names = ("address", "name", "receive", "primary")
    table([[str(one[name]) for name in names] for one in facts], [n.upper() for n in names])


@app.command()
def remove(
    address: Address,
    identity: Annotated[str, typer.Argument(help="The other address.")],
    data: DataOption = None,
) -> None:
    """Let a person no longer send as an address."""
    with opened(data) as parts, parts.db.write() as tx:
        user = users.find(tx, _actor(), address)
        identities.remove(tx, _actor(), user, identity, utc_now())
    say("removed")


def _actor() -> Actor:
    return Actor.command_line(operator())
