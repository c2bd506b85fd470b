"""`livearchive init|serve|demo|check`."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Annotated

import typer

from app import setup
from app.checkup import Verdict, examine
from app.cli.access import DataOption, load_config
from app.cli.demo import DemoOptions, run_demo
from app.cli.output import Failed, JsonOption, emit, say
from app.config import PREFIX, Config
from app.supervisor import ROLES, CannotStart, Supervisor, role_program
from archive_store.errors import StoreFull

ROOM_SECONDS = 2.0
HttpOption = Annotated[str | None, typer.Option("--http", metavar="HOST:PORT", help="Web pages.")]
SmtpOption = Annotated[str | None, typer.Option("--smtp", metavar="HOST:PORT", help="Mail in.")]
LmtpOption = Annotated[
    str | None, typer.Option("--lmtp", metavar="HOST:PORT", help="Mail in by LMTP.")
]


@dataclass(frozen=True, slots=True)
class Listeners:
    """Options of the command line that are settings too."""

    http: str | None
    smtp: str | None
    lmtp: str | None


def register(root: typer.Typer) -> None:
    """Add the commands that stand at the top of the tree."""
    for command in (init, serve, demo, check):
        root.command()(command)


def init(data: DataOption = None) -> None:
    """Make the data folder, keys and database; safe to repeat."""
    config = load_config(data)
    setup.prepare(config)
    say(f"ready: {config.data_dir}")


def serve(
    http: HttpOption = None,
    smtp: SmtpOption = None,
    lmtp: LmtpOption = None,
    role: Annotated[str, typer.Option(help="Only these roles, comma-separated.")] = ",".join(ROLES),
    init_first: Annotated[
        bool, typer.Option("--init", help="Make the data folder first, if it is not there.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Run the service; prints READY when all of it listens."""
    config = load_config(data, http=http, smtp=smtp, lmtp=lmtp)
    roles = _roles(role, config)
    prepare_when_there_is_room(config, make=init_first)
    programs = [role_program(name, wipes=config.wipe_memory) for name in roles]
    supervisor = Supervisor(programs, environment(data, http=http, smtp=smtp, lmtp=lmtp))
    try:
        supervisor.run(lambda: announce(config))
    except CannotStart as error:
        raise Failed(str(error)) from None


def demo(
    http: HttpOption = "127.0.0.1:8025",
    smtp: SmtpOption = "127.0.0.1:2525",
    lmtp: LmtpOption = "127.0.0.1:2424",
    primary: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="The stand-in for the primary mail server.")
    ] = "127.0.0.1:2526",
    outside: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="The stand-in for the rest of the internet.")
    ] = "127.0.0.1:2527",
    traffic: Annotated[bool, typer.Option(help="Send sample mail through the SMTP port.")] = True,
    data: Annotated[
        Path, typer.Option("--data", envvar="LIVEARCHIVE_DATA_DIR", metavar="DIR", help="The data.")
    ] = Path("demo-data"),
) -> None:
    """Run everything with a demo organisation, a stand-in mail server and sample mail."""
    config = load_config(data, http=http, smtp=smtp, lmtp=lmtp, smarthost=outside)
    prepare(config, make=True)
    settings = environment(data, http=http, smtp=smtp, lmtp=lmtp, smarthost=outside)
    options = DemoOptions(primary=primary, outside=outside, traffic=traffic)
    try:
        run_demo(config, options, settings, lambda: announce(config))
    except CannotStart as error:
        raise Failed(str(error)) from None


def check(json: JsonOption = False, data: DataOption = None) -> None:
    """Look at settings, keys, database, ports and DNS, and say what to do."""
    failed = 0
    for finding in examine(load_config(data)):
        failed += finding.verdict is Verdict.FAILED
        if json:
            emit({"check": finding.what, "verdict": finding.verdict, "text": finding.text})
        else:
            say(f"{finding.verdict:<8} {finding.what}: {finding.text}")
    if failed:
        raise Failed(f"{failed} checks failed")


def environment(data: Path | None, **options: str | None) -> dict[str, str]:
    """The environment of the roles: ours, with the options of the command line as settings."""
    found = dict(os.environ)
    for name, value in options.items():
        if value is not None:
            found[PREFIX + name.upper()] = value
    if data is not None:
        found[f"{PREFIX}DATA_DIR"] = str(data.absolute())
    return found


def prepare(config: Config, *, make: bool) -> None:
    """See that the data folder and the database are there and of this version."""
    if not make:
        if not setup.is_prepared(config):
            raise Failed(
                f"{config.data_dir} is no data folder yet: run `livearchive init`, or --init"
            )
        if setup.is_empty_database(config):
            # With an empty database every mail would be refused as not ours.
            raise Failed("DATABASE_URL: the database is empty: run `livearchive init`, or --init")
    if setup.is_current(config):
        return
    # In a process of its own: making keys leaves them in its memory, not in the supervisor's.
    command = [sys.executable, "-m", "app.setup_main"]
    settings = environment(config.data_dir)
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr.strip().removeprefix("livearchive: "))


def prepare_when_there_is_room(config: Config, *, make: bool) -> None:
    """The same; a disk that is full is no reason to end, since only that can change."""
    told = False
    while True:
        try:
            return prepare(config, make=make)
        except StoreFull as error:
            if not told:
                text = f"livearchive: {error}: the start waits until there is room"
                sys.stderr.write(f"{text} for {config.data_dir}\n")
                told = True
        sleep(ROOM_SECONDS)


def announce(config: Config) -> None:
    """Say that everything listens."""
    say(f"READY {config.public_url}")
    sys.stdout.flush()


def _roles(text: str, config: Config) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in ROLES:
            raise typer.BadParameter(f"no such role: {name} (of {', '.join(ROLES)})")
    # A listener that is switched off needs nobody to listen.
    if config.http is None and config.https is None:
        names = [name for name in names if name != "web"]
    if config.smtp is None and config.lmtp is None and config.smtps is None:
        names = [name for name in names if name != "ingest"]
    if config.acme is None:
        names = [name for name in names if name != "certificate"]
    if not names:
        raise typer.BadParameter("no role is left to run")
    return [name for name in ROLES if name in names]
