"""`livearchive domain journal`."""

from typing import Annotated, Any

import typer

from app.accounts import domains, feeds
from app.cli.access import DataOption, keys_for, opened
from app.cli.output import Failed, JsonOption, emit, operator, say
from app.models import Domain
from app.viewer import Actor
from app.wiring import Parts
from archive_store.clock import utc_now
from archive_store.retention import visible_after


def register(app: typer.Typer) -> None:
    """Add the command to those of domains."""
    app.command("journal")(journal)


def journal(
    name: Annotated[str, typer.Argument(help="The domain, like acme.example.")],
    on: Annotated[bool, typer.Option("--on", help="Take reports at a new address.")] = False,
    off: Annotated[bool, typer.Option("--off", help="Take no more reports.")] = False,
    address: Annotated[str, typer.Option(help="With --on: this address, not a new one.")] = "",
    networks: Annotated[
        str, typer.Option("--from", metavar="NETWORKS", help="With --on: from these alone.")
    ] = "",
    login: Annotated[
        str, typer.Option(help="With --on: from the server with this name of SMTP_LOGINS alone.")
    ] = "",
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Journal reports of Exchange and Microsoft 365: where they come in, what was unreadable."""
    if (on and off) or ((address or networks or login) and not on):
        raise Failed("either --off, or --on with --address, --from or --login if you like")
    actor = Actor.command_line(operator())
    made = ""
    with opened(data) as parts:
        if on:
            wish = feeds.NewFeed(address=address, networks=networks, login=login)
            with keys_for(parts) as keys:
                with parts.db.write() as tx:
                    domain = domains.find(tx, actor, name)
                    made = feeds.switch_on(tx, actor, domain, wish, utc_now())
                keys.ensure_keys()  # what cannot be read is kept from the first report on
        elif off:
            with parts.db.write() as tx:
                feeds.switch_off(tx, actor, domains.find(tx, actor, name), utc_now())
        found = _facts(parts, actor, name) | ({"address": made} if made else {})
    if json:
        emit(found)
        return
    for key, value in found.items():
        say(f"{key}: {value}")
    if made:
        say("Keep the address secret: it is shown once, and whoever has it can put mail into")
        say("the domain's mailboxes. A new one takes its place with --on again.")


def _facts(parts: Parts, actor: Actor, name: str) -> dict[str, Any]:
    since = visible_after(utc_now(), parts.config.store.keep)
    with parts.db.read() as tx:
        domain: Domain = domains.find(tx, actor, name)
        feed = feeds.of(tx, domain.id)
        return {
            "domain": domain.name,
            "journal": "on" if feed else "off",
            "from": (feed.networks if feed else "") or "anywhere",
            "login": (feed.login if feed else "") or "any",
            "unread": feeds.waiting_in_quarantine(tx, domain, since),
            "quarantine": feeds.quarantine_of(domain),
        }
