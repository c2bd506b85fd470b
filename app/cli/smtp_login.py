"""`livearchive smtp-login`."""

import sys
from typing import Annotated

import typer

from app.accounts.passwords import LONGEST, Passwords, generate
from app.cli.access import DataOption
from app.cli.output import Failed, say
from app.config_kinds import LOGIN_NAME
from app.secret import Secret

SHORTEST = 12  # made by a program or kept by one, and only from hosts that are let in


def register(app: typer.Typer) -> None:
    """Add the command to the tree."""
    app.command("smtp-login")(smtp_login)


def smtp_login(
    name: Annotated[str, typer.Argument(help="The name with which the server logs in.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Print a line for SMTP_LOGINS. Without --password-stdin a password is made and shown once."""
    if not LOGIN_NAME.fullmatch(name):
        raise Failed("a name has letters, digits and any of . _ @ + - in it, at most 64")
    password = Secret(sys.stdin.readline().rstrip("\r\n")) if password_stdin else generate()
    if not SHORTEST <= len(password.reveal()) <= LONGEST:
        raise Failed(f"a password has {SHORTEST} to {LONGEST} characters")
    say(f"{name}:{Passwords().hash(password)}")
    if not password_stdin:
        say(f"password: {password.reveal()}")
