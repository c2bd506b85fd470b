"""`livearchive domain dkim`: the keys that sign a domain's mail, and the records to publish."""

from typing import Annotated, Any

import typer

from app.accounts import dkim, domains
from app.cli.access import DataOption, keys_for, opened
from app.cli.domains import Name
from app.cli.output import Failed, JsonOption, emit, operator, say
from app.models import DkimKey, Domain
from app.viewer import Actor
from app.wiring import Parts
from archive_store.clock import utc_now


def register(app: typer.Typer) -> None:
    """Add the command to `livearchive domain`."""
    app.command("dkim")(show)


def show(
    name: Name,
    rotate: Annotated[bool, typer.Option("--rotate", help="Make the next keys.")] = False,
    selector: Annotated[str, typer.Option(help="What to call the keys that are made.")] = "",
    remove: Annotated[
        str, typer.Option(metavar="SELECTOR", help="Forget keys that sign no more.")
    ] = "",
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Show a domain's DKIM keys with their DNS records; make the first ones, or the next.

    Keys that are made sign nothing yet: publish them, then `domain set NAME dkim=on`.
    """
    with opened(data) as parts:
        if remove:
            _remove(parts, name, dkim.parse_name(remove))
        else:
            _make(parts, name, selector, rotate=rotate)
        with parts.db.read() as tx:
            domain = domains.find(tx, _actor(), name)
            found = [_facts(key, domain) for key in domain.dkim_keys]
    if json:
        for one in found:
            emit(one)
        return
    for one in found:
        signs = "signs" if one["signs"] else "does not sign"
        say(f"; {one['selector']} ({one['algorithm']}, of {one['created_at'][:10]}) {signs}")
        say(f"{one['host']}. IN TXT {one['zone_text']}")
    if found and not any(one["signs"] for one in found):
        say(f"; once these are published: livearchive domain set {name} dkim=on")


def _make(parts: Parts, name: str, selector: str, *, rotate: bool) -> None:
    now = utc_now()
    with parts.db.read() as tx:
        domain = domains.find(tx, _actor(), name)
        names = {key.name for key in domain.dkim_keys}
        wanted = dkim.parse_name(selector) if selector else dkim.next_name(domain, now)
        domain_id = domain.id
    if names and not rotate:
        if selector:
            raise Failed(f"{name} has keys already: make the next ones with --rotate")
        return
    if wanted in names:
        raise Failed(f"{name} has keys {wanted} already")
    with keys_for(parts) as keys:
        keys.make_dkim_keys(operator(), domain_id, wanted)


def _remove(parts: Parts, name: str, selector: str) -> None:
    with parts.db.write() as tx:
        dkim.remove(tx, _actor(), domains.find(tx, _actor(), name), selector, utc_now())


def _facts(key: DkimKey, domain: Domain) -> dict[str, Any]:
    record = dkim.record_of(key, domain)
    return {
        "name": key.name,
        "selector": key.selector,
        "algorithm": key.algorithm,
        "created_at": key.created_at.isoformat(timespec="seconds"),
        "signs": key.name == domain.dkim,
        "host": record.host,
        "value": record.value,
        "zone_text": record.zone_text,
    }


def _actor() -> Actor:
    return Actor.command_line(operator())
