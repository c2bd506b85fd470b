"""`livearchive hold place|list|release|export`."""

import json as jsons
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.admin import holds
from app.admin_views import HoldLine
from app.cli.access import DataOption, keys_for, opened
from app.cli.output import Failed, JsonOption, ReasonOption, emit, operator, reason, say, table
from app.holding import Held, HoldDesk
from app.operations import domain_id_of
from archive_store.durable import make_folder

app = typer.Typer(no_args_is_help=True)
HoldId = Annotated[str, typer.Argument(metavar="ID", help="The hold's id, from `hold list`.")]
INDEX = "index.jsonl"


@app.command()
def place(
    mailbox: Annotated[str, typer.Option(help="Hold all of this mailbox.", metavar="ADDRESS")] = "",
    domain: Annotated[str, typer.Option(help="Search in the mailboxes of this domain.")] = "",
    search: Annotated[str, typer.Option(help="Hold what this search finds now.")] = "",
    reason_given: ReasonOption = "",
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Keep mail beyond its days until the hold is released."""
    if bool(mailbox) == bool(domain) or bool(domain) != bool(search):
        raise typer.BadParameter("give --mailbox, or --domain with --search")
    why = reason(reason_given)
    with opened(data) as parts, keys_for(parts) as keys:
        desk = HoldDesk(parts, keys, operator(), why)
        placed = desk.hold_mailbox(mailbox) if mailbox else desk.hold_found(domain, search)
    if json:
        emit(_as_json(placed))
    else:
        say(f"hold {placed.id} placed: {placed.messages} messages until it is released")


@app.command("list")
def list_holds(
    domain: Annotated[str, typer.Option(help="Only those of this domain.")] = "",
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """The holds that were not released."""
    with opened(data) as parts, parts.db.read() as tx:
        found = holds.active(tx, domain_id_of(tx, domain) if domain else None)
    if json:
        for one in found:
            emit(_as_json(one))
        return
    rows = [
        [
            one.id,
            one.domain,
            one.address or "(a search)",
            f"{one.placed_at:%F %T}",
            one.placed_by,
            str(one.messages),
            one.reason,
        ]
        for one in found
    ]
    table(rows, ["ID", "DOMAIN", "MAILBOX", "SINCE", "BY", "MESSAGES", "REASON"])


@app.command()
def release(hold: HoldId, reason_given: ReasonOption = "", data: DataOption = None) -> None:
    """Release a hold. Its key is destroyed: what is past its days can never be read again."""
    why = reason(reason_given)
    with opened(data) as parts, keys_for(parts) as keys:
        HoldDesk(parts, keys, operator(), why).release(hold)
    say(f"hold {hold} released, its key is destroyed; the next sweep removes the rest")


@app.command()
def export(
    hold: HoldId,
    out: Annotated[Path, typer.Option(help="The folder to write into.", file_okay=False)],
    reason_given: ReasonOption = "",
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Write what a hold holds to files: the octets exactly as received, and an index."""
    why = reason(reason_given)
    make_folder(out.absolute())
    if (out / INDEX).exists():
        raise Failed(f"{out} has an export already")
    with opened(data) as parts, keys_for(parts) as keys:
        count = _write(HoldDesk(parts, keys, operator(), why).export(hold), out)
    if json:
        emit({"exported": count, "folder": str(out)})
    else:
        say(f"{count} messages written to {out}")


def _write(messages: Iterator[Held], out: Path) -> int:
    count = 0
    with (out / INDEX).open("x") as index:
        for held in messages:
            (out / f"{held.line.id}.eml").write_bytes(held.octets)
            index.write(jsons.dumps(_index_line(held), ensure_ascii=False) + "\n")
            count += 1
    return count


def _index_line(held: Held) -> dict[str, Any]:
    return {
        "id": held.line.id,
        "mailbox": held.line.address,
        "received_at": held.line.received_at.isoformat().replace("+00:00", "Z"),
        "size": held.line.size,
        "envelope_from": held.envelope.mail_from,
        "envelope_to": held.envelope.rcpt_to,
        "sha256": held.digest,
        "genuine": held.genuine,
    }


def _as_json(one: HoldLine) -> dict[str, Any]:
    return {
        "id": one.id,
        "domain": one.domain,
        "mailbox": one.address,
        "reason": one.reason,
        "placed_by": one.placed_by,
        "placed_at": one.placed_at.isoformat().replace("+00:00", "Z"),
        "messages": one.messages,
        "size": one.octets,
    }
