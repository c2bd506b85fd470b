"""`livearchive user`: people, their passwords and ways to log in, and where they are told."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from app.accounts import codes, methods, outside, user_import, users
from app.accounts.passwords import Passwords, generate
from app.cli.access import DataOption, keys_for, opened
from app.cli.domains import pairs
from app.cli.output import Failed, JsonOption, emit, operator, say, table
from app.models import OutsideAddress, User
from app.secret import Secret
from app.viewer import Actor, Role
from archive_store.clock import utc_now

app = typer.Typer(no_args_is_help=True)
Address = Annotated[str, typer.Argument(help="The person's own mail address.")]
PAGE = 500


@app.command()
def add(
    address: Address,
    name: Annotated[str, typer.Option(help="The name as others see it.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")] = Role.USER,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Add a person. Without --password-stdin a password is made and shown once."""
    password = _password() if password_stdin else generate()
    new = users.prepare(Passwords(), address, name, role.value, password)
    with opened(data) as parts, keys_for(parts) as keys:
        with parts.db.write() as tx:
            users.add(tx, _actor(), new, utc_now())
        keys.ensure_keys()
    say(f"{new.address.text} added")
    if not password_stdin:
        say(f"password: {password.reveal()}")


@app.command("list")
def list_(json: JsonOption = False, data: DataOption = None) -> None:
    """Everybody who may log in."""
    found: list[dict[str, Any]] = []
    with opened(data) as parts, parts.db.read() as tx:
        page = 1
        while True:
            part = users.list_page(tx, _actor(), page=page, size=PAGE)
            found += [_facts(user) for user in part.users]
            if page >= part.pages:
                break
            page += 1
    if json:
        for one in found:
            emit(one)
        return
    names = ("address", "name", "role", "live", "disabled")
    table([[str(one[name]) for name in names] for one in found], [n.upper() for n in names])


@app.command("set")
def set_(
    address: Address,
    changes: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="What to change.")],
    data: DataOption = None,
) -> None:
    """Change a person: name, role, live (whether mail is kept), disabled."""
    with opened(data) as parts, parts.db.write() as tx:
        user = users.find(tx, _actor(), address)
        users.change(tx, _actor(), user, pairs(changes), utc_now())
    say("changed")


@app.command()
def disable(address: Address, data: DataOption = None) -> None:
    """Let a person no longer log in; every session ends at once."""
    with opened(data) as parts, parts.db.write() as tx:
        users.set_disabled(tx, _actor(), users.find(tx, _actor(), address), True, utc_now())
    say(f"{address} can no longer log in")


@app.command("reset-password")
def reset_password(
    address: Address,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Give a person a new password; every session ends."""
    password = _password() if password_stdin else generate()
    hashed = Passwords().hash(password)
    with opened(data) as parts, parts.db.write() as tx:
        user = users.find(tx, _actor(), address)
        users.reset_password(tx, _actor(), user, hashed, utc_now())
    say("changed" if password_stdin else f"password: {password.reveal()}")


@app.command("methods")
def list_methods(address: Address, json: JsonOption = False, data: DataOption = None) -> None:
    """What a person can log in with, beside the password."""
    with opened(data) as parts, parts.db.read() as tx:
        user = users.find(tx, _actor(), address)
        found = methods.of(tx, user.id)
    facts = {
        "address": user.address,
        "app": found.app_since is not None,
        "passkeys": len(found.passkeys),
        "codes_left": found.codes.left,
    }
    if json:
        emit(facts)
        return
    table([[str(value) for value in facts.values()]], ["ADDRESS", "APP", "PASSKEYS", "CODES LEFT"])


@app.command("reset-methods")
def reset_methods(address: Address, data: DataOption = None) -> None:
    """Remove app, passkeys and one-time codes; every session ends, the password stays."""
    with opened(data) as parts, parts.db.write() as tx:
        methods.reset(tx, _actor(), users.find(tx, _actor(), address), utc_now())
    say(f"{address} logs in with the password alone")


@app.command("code")
def give_code(address: Address, data: DataOption = None) -> None:
    """Make a one-time code for a person who cannot get in; shown once, valid for an hour."""
    code = codes.generate()
    with opened(data) as parts, keys_for(parts) as keys:
        with parts.db.read() as tx:
            user = users.find(tx, _actor(), address)
            methods.require_code_for(_actor(), user)
        [digest] = keys.code_digests(user.id, [codes.plain(code)], operator=True)
        with parts.db.write() as tx:
            methods.give_code(tx, _actor(), users.find(tx, _actor(), address), digest, utc_now())
    say(f"code: {code.reveal()}")


@app.command("outside")
def set_outside(
    address: Address,
    elsewhere: Annotated[str, typer.Argument(metavar="OUTSIDE", help="Where; `none` forgets it.")],
    data: DataOption = None,
) -> None:
    """Give a person an address outside, for word of an outage; the person confirms it."""
    with opened(data) as parts, keys_for(parts) as keys:
        if elsewhere == "none":
            with parts.db.write() as tx:
                outside.remove(tx, _actor(), users.find(tx, _actor(), address), utc_now())
            say("forgotten")
            return
        with parts.db.read() as tx:
            user = users.find(tx, _actor(), address)
            checked = outside.checked(tx, user, elsewhere)
            outside.allow_code(tx.get(OutsideAddress, user.id), utc_now())
        keys.operator_outside(operator(), user.id, checked.text)
    say("a code is mailed there; it is to be typed under Settings")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV: address,name,role.", dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the file.")] = False,
    data: DataOption = None,
) -> None:
    """Add many people; prints `address,password` for each, once."""
    try:
        octets = file.read_bytes()
    except OSError as error:
        raise Failed(f"cannot read {file}: {error.strerror}") from error
    with opened(data) as parts, keys_for(parts) as keys:
        with parts.db.read() as tx:
            plan = user_import.plan(tx, _actor(), octets)
        for problem in plan.problems:
            sys.stderr.write(f"line {problem.line}: {problem.message}\n")
        if plan.problems:
            raise Failed("nothing was added")
        if dry_run:
            say(f"{len(plan.rows)} people could be added")
            return
        passwords = Passwords()
        prepared = [user_import.prepare(passwords, row) for row in plan.rows]
        with parts.db.write() as tx:
            user_import.apply(tx, _actor(), prepared, utc_now())
        keys.ensure_keys()
    for one in prepared:
        say(f"{one.new.address.text},{one.password.reveal()}")


def _password() -> Secret:
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise Failed("no password on standard input")
    return Secret(line)


def _actor() -> Actor:
    return Actor.command_line(operator())


def _facts(user: User) -> dict[str, Any]:
    return {
        "address": user.address,
        "name": user.name,
        "role": user.role,
        "live": user.live,
        "disabled": user.disabled,
    }
