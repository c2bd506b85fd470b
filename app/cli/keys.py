"""`livearchive keys status|confirm-clock`; the others are in `app.cli.keyring`."""

import base64

import typer

from app.cli.access import DataOption, keys_for, opened
from app.cli.keyring import backup, restore, rewrap
from app.cli.output import JsonOption, emit, operator, say, table

app = typer.Typer(no_args_is_help=True)
for _command in (backup, restore, rewrap):
    app.command()(_command)


@app.command()
def status(json: JsonOption = False, data: DataOption = None) -> None:
    """Which days have keys, whether every mailbox can be sealed to and the keyring opens."""
    with opened(data) as parts, keys_for(parts) as keys:
        found = {**keys.status(), "master_key": keys.provider()}
        audit_key = base64.b64encode(parts.public.audit).decode()
    if json:
        emit({**found, "audit_key": audit_key})
        return
    series = found["series"]
    rows = [
        [name, *(str(one[what]) for what in ("days", "from", "to", "next_destroyed_at"))]
        for name, one in series.items()
    ]
    master = found["master_key"]
    say(f"master key: {master['provider']}, {master['trouble'] or 'the keyring opens'}")
    table(rows, ["SERIES", "DAYS", "FROM", "TO", "NEXT DESTROYED AT"])
    say(f"mailboxes without a key for today: {found['mailboxes_without_key']}")
    say(f"audit key: {audit_key}")
    for alarm in found["alarms"]:
        say(f"ALARM: {alarm}")


@app.command("confirm-clock")
def confirm_clock(data: DataOption = None) -> None:
    """Say that the clock is right after it jumped ahead, so that keys are destroyed by it again."""
    with opened(data) as parts, keys_for(parts) as keys:
        keys.confirm_clock(operator())
    say("the clock is believed")
