"""`livearchive maillog search`."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import typer

from app.admin import maillog
from app.admin.maillog import Line
from app.admin_views import MaillogQuery
from app.cli.access import DataOption, keys_for, opened
from app.cli.output import JsonOption, emit, operator, say
from app.operations import domain_id_of
from archive_store import ids
from archive_store.mime.encoded import decode_words

app = typer.Typer(no_args_is_help=True)


@app.callback()
def root() -> None:
    """What became of a mail."""


@app.command()
def search(
    to: Annotated[str, typer.Option("--to", help="Part of a recipient's address.")],
    sender: Annotated[str, typer.Option("--from", help="Part of the sender.")] = "",
    subject: Annotated[str, typer.Option(help="Part of the subject.")] = "",
    domain: Annotated[str, typer.Option(help="Only this domain.")] = "",
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Find mails by recipient, and tell what became of each."""
    query = MaillogQuery(recipient=to, sender=sender, subject=subject)
    with opened(data) as parts, keys_for(parts) as keys:
        with parts.db.read() as tx:
            sealed = maillog.newest(tx, [domain_id_of(tx, domain)] if domain else None)
        ask = partial(keys.operator_maillog, operator())
        lines = maillog.opened(ask, parts.public.installation, sealed)
    lives: dict[bytes, list[Line]] = {}
    for line in reversed(lines):
        lives.setdefault(line.message_id, []).append(line)
    for begun in maillog.matching(lines, query):
        _show(begun, lives[begun.message_id], json)


def _show(begun: Line, life: Sequence[Line], json: bool) -> None:
    entry = begun.entry
    facts = {
        "id": ids.show(begun.message_id),
        "envelope_from": entry.mail_from,
        "envelope_to": list(entry.recipients),
        "from": decode_words(entry.header_from),
        "subject": maillog.subject_of(entry),
        "message_id": entry.message_id,
        "size": entry.size,
        "events": [_event(line) for line in life],
    }
    if json:
        emit(facts)
        return
    say(f"{begun.at:%F %T} {facts['from']}: {facts['subject']}")
    for line in life:
        recipients = ", ".join(line.entry.recipients)
        say(f"  {line.at:%F %T} {line.entry.event} {recipients} {line.entry.detail}".rstrip())


def _event(line: Line) -> dict[str, Any]:
    return {
        "at": line.at.isoformat().replace("+00:00", "Z"),
        "event": line.entry.event,
        "recipients": list(line.entry.recipients),
        "detail": line.entry.detail,
    }
