"""`livearchive queue list|flush|hold|release|drop`."""

from typing import Annotated

import typer

from app.cli.access import DataOption, keys_for, opened
from app.cli.output import Failed, JsonOption, emit, operator, say, table
from app.delivery import desk
from app.delivery.sealed import open_envelope
from app.operations import domain_id_of
from app.viewer import Actor
from archive_store import ids
from archive_store.clock import utc_now

app = typer.Typer(no_args_is_help=True)
ItemId = Annotated[str, typer.Argument(metavar="ID", help="The id that `queue list` shows.")]
LIMIT = 10_000


@app.command("list")
def list_items(json: JsonOption = False, data: DataOption = None) -> None:
    """Mail that was accepted and not yet handed on, the oldest first."""
    with opened(data) as parts, keys_for(parts) as keys:
        with parts.db.read() as tx:
            rows, total = desk.list_items(tx, None, limit=LIMIT)
        opened_keys = keys.operator_queue([row.item.id for row in rows])
        lines = []
        for row in rows:
            key = opened_keys.get(row.item.id)
            envelope = open_envelope(parts.public.installation, row.item, key) if key else None
            lines.append(
                {
                    "id": ids.show(row.item.id),
                    "domain": row.domain.name,
                    "kind": row.item.kind,
                    "state": row.item.state,
                    "attempts": row.item.attempts,
                    "queued_at": row.item.queued_at.isoformat().replace("+00:00", "Z"),
                    "next_attempt_at": row.item.next_attempt_at.isoformat().replace("+00:00", "Z"),
                    "size": row.size,
                    "envelope_from": envelope.mail_from if envelope else "",
                    "envelope_to": envelope.rcpt_to if envelope else "",
                }
            )
    if json:
        for line in lines:
            emit(line)
        return
    names = ("id", "domain", "state", "attempts", "queued_at", "envelope_to")
    table([[str(line[name]) for name in names] for line in lines], [n.upper() for n in names])
    if total > len(lines):
        say(f"... and {total - len(lines)} more")


@app.command()
def flush(
    domain: Annotated[str, typer.Argument(help="Only this domain.")] = "",
    data: DataOption = None,
) -> None:
    """Try everything that waits now."""
    with opened(data) as parts, parts.db.write() as tx:
        domain_id = domain_id_of(tx, domain) if domain else None
        count = desk.flush(tx, Actor.command_line(operator()), domain_id, utc_now())
    say(f"{count} waiting deliveries are tried now")


@app.command()
def hold(item: ItemId, data: DataOption = None) -> None:
    """Keep one mail back until it is released."""
    with opened(data) as parts, parts.db.write() as tx:
        actor = Actor.command_line(operator())
        desk.hold(tx, actor, _read(item), utc_now(), domain_id=None)
    say("held")


@app.command()
def release(
    item: Annotated[str, typer.Argument(metavar="ID", help="As `queue list` shows it.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Let all held mail go.")] = False,
    data: DataOption = None,
) -> None:
    """Let a held mail go, or all."""
    if bool(item) == everything:
        raise typer.BadParameter("give the ID of one mail, or --all")
    actor, now = Actor.command_line(operator()), utc_now()
    with opened(data) as parts, parts.db.write() as tx:
        wanted = desk.held_items(tx) if everything else [_read(item)]
        for one in wanted:
            desk.release(tx, actor, one, now, domain_id=None)
    say("released" if item else f"{len(wanted)} released")


@app.command()
def drop(item: ItemId, data: DataOption = None) -> None:
    """Never deliver one mail; copies in mailboxes stay."""
    with opened(data) as parts:
        actor, now = Actor.command_line(operator()), utc_now()
        desk.drop(parts.db, parts.segments, actor, _read(item), now, domain_id=None)
    say("dropped")


def _read(item: str) -> bytes:
    try:
        return ids.read(item)
    except ValueError:
        raise Failed(f"{item}: not an id as `queue list` shows them") from None
