"""`livearchive webhook set|test|show|remove`."""

from datetime import datetime
from typing import Annotated

import typer

from app.accounts import domains
from app.cli.access import DataOption, keys_for, opened
from app.cli.output import Failed, JsonOption, emit, operator, say
from app.delivery import webhooks
from app.models import Webhook
from app.viewer import Actor
from archive_store.clock import utc_now

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The domain, like acme.example.")]


@app.command("set")
def set_(
    name: Name,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to; https.")],
    data: DataOption = None,
) -> None:
    """Tell a program of a domain's outages; prints the new secret, once."""
    with opened(data) as parts:
        checked = webhooks.checked(url, private=parts.config.webhooks_private)
        with parts.db.read() as tx:
            domain_id = domains.find(tx, _actor(), name).id
        with keys_for(parts) as keys:
            say(keys.set_webhook(operator(), domain_id, checked).reveal())


@app.command("test")
def try_out(name: Name, data: DataOption = None) -> None:
    """Send a `webhook.test` event; `webhook show` tells what became of it."""
    with opened(data) as parts, parts.db.write() as tx:
        domain = domains.find(tx, _actor(), name)
        if not webhooks.put(tx, domain.id, webhooks.TEST, {"domain": domain.name}, utc_now()):
            raise Failed(f"{name} has no webhook")
    say("on its way")


@app.command()
def show(name: Name, json: JsonOption = False, data: DataOption = None) -> None:
    """The host of a domain's webhook, and what became of the newest event."""
    with opened(data) as parts, parts.db.read() as tx:
        domain = domains.find(tx, _actor(), name)
        hook, last = tx.get(Webhook, domain.id), webhooks.latest(tx, domain.id)
    if hook is None:
        raise Failed(f"{name} has no webhook")
    found: dict[str, object] = {"host": webhooks.host_of(hook.url), "set": _rfc3339(hook.set_at)}
    if last is not None:
        found |= {
            "last": _rfc3339(last.created_at),
            "attempts": last.attempts,
            "done": last.done_at is not None,
            "error": last.last_error,
        }
    if json:
        emit(found)
        return
    for key, value in found.items():
        say(f"{key}: {value}")


@app.command()
def remove(name: Name, data: DataOption = None) -> None:
    """Tell no program any more, also not what was on its way."""
    with opened(data) as parts, parts.db.write() as tx:
        webhooks.remove(tx, _actor(), domains.find(tx, _actor(), name), utc_now())
    say("removed")


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _actor() -> Actor:
    return Actor.command_line(operator())
