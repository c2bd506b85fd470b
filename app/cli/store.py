"""`livearchive sweep|fsck|backup|restore`."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app import backup as backups
from app.cli.access import DataOption, keys_for, load_config, opened, service_runs
from app.cli.output import Failed, JsonOption, emit, operator, say
from app.fsck.check import check
from app.fsck.check import repair as mend
from app.fsck.findings import Findings, Mended
from app.fsck.ports import store_of
from app.fsck.rebuild import NOT_BROUGHT_BACK, Rebuild, Rebuilt
from app.operations import record_repair
from app.retention import sweep as sweep_once
from archive_store.clock import utc_now
from archive_store.tombstones import Tombstones


def register(root: typer.Typer) -> None:
    """Add the commands that stand at the top of the tree."""
    for command in (sweep, fsck, backup, restore):
        root.command()(command)


def sweep(json: JsonOption = False, data: DataOption = None) -> None:
    """Retention now: what is past its days goes, keys first."""
    with opened(data) as parts, keys_for(parts) as keys:
        swept = sweep_once(parts, keys)
    if json:
        emit({"entries": swept.entries, "messages": swept.messages, "log_lines": swept.log_lines})
    else:
        say(f"{swept.entries} entries, {swept.messages} messages, {swept.log_lines} log lines gone")


def fsck(
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Mend from the segments; take out what never opens again."),
    ] = False,
    orphans: Annotated[
        bool,
        typer.Option("--orphans", help="With --repair: bring back mail that has no row."),
    ] = False,
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Check every row against its octets, and every stored octet against a row."""
    with opened(data) as parts:
        running = service_runs(parts)
        with keys_for(parts) as keys:
            store = store_of(parts, keys, operator(), utc_now())
            found, rebuilt, done = check(store), Rebuilt(), Counter[Mended]()
            # Without a single message the database is a new one: all of them are orphans.
            if repair and found.orphan_frames and (orphans or not found.messages):
                if running:
                    raise Failed("stop the service first: nothing may come in during a rebuild")
                rebuilt = Rebuild(store, utc_now()).run()
                found = check(store)
            if repair:
                found, done = mend(store, found)
                keys.ensure_keys()
                record_repair(parts, operator(), found.entries, done[Mended.TAKEN_OUT])
    if json:
        emit(_as_json(found, rebuilt, done))
    else:
        _tell(found, rebuilt, done)
    if rebuilt.conflicts:
        raise Failed(f"{len(rebuilt.conflicts)} mailboxes could not be brought back")
    if not found.clean:
        raise Failed(f"wrong in the store: {_counted(found.wrong)}")


def _as_json(found: Findings, rebuilt: Rebuilt, done: Counter[Mended]) -> dict[str, Any]:
    return {
        **found.counts(),
        "wrong": found.wrong,
        "problems": [problem.text for problem in found.problems],
        "mended": {how.value: count for how, count in done.items()},
        "repaired": done.total(),
        "rebuilt": rebuilt.counts(),
        "conflicts": rebuilt.conflicts,
    }


def _tell(found: Findings, rebuilt: Rebuilt, done: Counter[Mended]) -> None:
    say(_counted(found.counts()))
    for problem in found.problems:
        say(problem.text)
    for how, count in done.items():
        say(f"{how.value}: {count}")
    if rebuilt != Rebuilt():
        say(f"brought back: {_counted(rebuilt.counts())}")
        say(NOT_BROUGHT_BACK)
    for conflict in rebuilt.conflicts:
        say(conflict)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in counts.items())


def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    data: DataOption = None,
) -> None:
    """Copy everything but the keyring, while the service runs."""
    with opened(data) as parts:
        count = backups.backup(parts, folder, operator(), utc_now())
    say(f"{count} files in {folder}; the keyring is not among them (`livearchive keys backup`)")


def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `backup` made.")],
    data: DataOption = None,
) -> None:
    """Bring a backup back into an empty data folder."""
    config = load_config(data)
    done = backups.restore(config, folder, operator(), utc_now())
    keyring, deleted = config.store.keyring, Tombstones.beside(config.store.keyring).path
    say(f"{done.files} files restored; put the keyring at {keyring}")
    if deleted.exists():
        say(f"{done.deleted} messages deleted for good since {done.made_at} stay deleted")
    else:
        say(
            f"put {deleted.name} beside it before the first start, or what was deleted for good "
            f"since {done.made_at} is back until its day is over"
        )
    say("everybody has to log in again")
    if done.held:
        say(f"{done.held} queue items are held: `queue list`, then `queue release --all` or `drop`")
