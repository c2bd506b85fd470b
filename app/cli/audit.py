"""`livearchive audit export|verify`."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app import audit
from app.audit import events
from app.audit.export import ExportRange, Signer, export
from app.audit.verify import ExportBroken, verify
from app.cli.access import DataOption, keys_for, opened
from app.cli.output import Failed, JsonOption, emit, operator, say
from app.operations import domain_id_of
from app.viewer import Actor
from archive_store.clock import utc_now

app = typer.Typer(no_args_is_help=True)
_WHEN = "A date or an RFC 3339 time."


@app.command("export")
def export_(
    domain: Annotated[str, typer.Option(help="The domain; empty: the installation's trail.")] = "",
    since: Annotated[str, typer.Option("--from", help=_WHEN)] = "",
    until: Annotated[str, typer.Option("--to", help=_WHEN + " Not included.")] = "",
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("audit.jsonl"),
    data: DataOption = None,
) -> None:
    """Write a trail to one signed file."""
    with opened(data) as parts, keys_for(parts) as keys:
        signer = Signer(
            installation=parts.public.installation,
            public_key=parts.public.audit,
            sign=keys.operator_sign,
        )
        with parts.db.write() as tx:
            trail = domain_id_of(tx, domain) if domain else None
            event = events.AuditExported(since=since, until=until)
            actor = Actor.command_line(operator())
            audit.record(tx, event, trail=trail or audit.INSTALLATION, actor=actor, at=utc_now())
        wanted = ExportRange(
            trail=trail, domain=domain, since=_time(since, "--from"), until=_time(until, "--to")
        )
        with parts.db.read() as tx, out.open("wb") as file:
            summary = export(tx, file, wanted, signer, utc_now())
    say(f"{summary.count} entries written to {out}")


@app.command("verify")
def verify_(
    file: Annotated[Path, typer.Argument(help="An exported trail.", exists=True, dir_okay=False)],
    key: Annotated[
        str, typer.Option(help="The installation's audit key, base64, known from elsewhere.")
    ] = "",
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Prove an exported trail; needs no server and no data folder."""
    _ = data  # accepted by every command; a proof needs none
    try:
        with file.open("rb") as source:
            proof = verify(source, base64.b64decode(key) if key else None)
    except ExportBroken as error:
        raise Failed(f"{file} does not prove what it says: {error}") from error
    if json:
        emit({"verified": True, "entries": proof.count, "pinned": proof.pinned})
        return
    say(f"verified: {proof.count} entries, complete and unchanged, signed")
    if not proof.pinned:
        say("signed with the key named in the file; compare it, or give yours with --key:")
        say(f"  {base64.b64encode(proof.header.public_key).decode()}")


def _time(text: str, option: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Failed(f"{option}: expected a date or a time, like 2026-11-24T08:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
