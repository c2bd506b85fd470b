"""What `livearchive demo` adds to the service: people, a stand-in primary, sample mail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.accounts.passwords import Passwords
from app.cli.access import keys_for
from app.cli.output import say
from app.config import Config
from app.config_kinds import parse_host_port
from app.demo.control import control_socket
from app.demo.people import Login, Servers, seed
from app.supervisor import ROLES, Program, Supervisor, role_program
from app.wiring import Parts
from archive_store.clock import utc_now


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """Options of the demo alone."""

    primary: str
    outside: str
    traffic: bool


def run_demo(
    config: Config,
    options: DemoOptions,
    environment: Mapping[str, str],
    announce: Callable[[], None],
) -> None:
    """Seed the organisation, run all roles and the stand-in, and keep mail coming."""
    logins = _seed(config, options)
    control = control_socket(config.data_dir)

    def ready() -> None:
        for login in logins:
            say(login.line())
        announce()

    Supervisor(_programs(options, control, config), dict(environment)).run(ready)


def stand_in_folder(data_dir: Path) -> Path:
    """Where the stand-in keeps what it accepted: beside the data, never inside of it."""
    return data_dir.with_name(f"{data_dir.name}-primary")


def _seed(config: Config, options: DemoOptions) -> tuple[Login, ...]:
    servers = Servers(parse_host_port(options.primary), parse_host_port(options.outside))
    parts = Parts(config, "admin")
    try:
        with keys_for(parts) as keys:
            logins = seed(parts.db, config.data_dir, Passwords(), servers, utc_now())
            keys.ensure_keys()
        return logins
    finally:
        parts.close()


def _programs(options: DemoOptions, control: Path, config: Config) -> list[Program]:
    web = Program("web", "app.demo.web_main", (str(control),))
    roles = [
        web if name == "web" else role_program(name, wipes=config.wipe_memory)
        for name in ROLES
        if name != "certificate"  # nobody vouches for a demo
    ]
    words = ["--primary", options.primary, "--outside", options.outside]
    words += ["--control", str(control), "--keep", str(stand_in_folder(config.data_dir))]
    programs = [Program("standin", "app.demo.standin_main", (*words, "--with-parent")), *roles]
    if options.traffic and config.smtp is not None:
        mail = ("--smtp", str(config.smtp), "--data", str(config.data_dir), "--with-parent")
        programs.append(Program("traffic", "app.demo.traffic_main", mail, serves=False))
    return programs
