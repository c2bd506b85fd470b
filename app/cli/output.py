"""How commands speak: lines for people, JSON for programs, one line when they fail."""

import getpass
import json
import os
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why; the audit trail of the domain keeps it.")
]
NO_REASON = "(none given)"


class Failed(Exception):
    """The command could not do what was asked; the text says why, in one line."""


def say(text: str = "") -> None:
    """One line for a person."""
    sys.stdout.write(text + "\n")


def emit(found: Mapping[str, Any]) -> None:
    """One JSON object on a line of its own."""
    sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")


def table(rows: list[list[str]], header: list[str]) -> None:
    """Columns, aligned; control characters of mail cannot reach the terminal."""
    cells = [header, *[[_plain(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def operator() -> str:
    """Who is typing, for the audit trail: the system's user, and whom sudo came from."""
    name = getpass.getuser()
    before = os.environ.get("SUDO_USER", "")
    return f"{before} as {name}" if before and before != name else name


def reason(given: str) -> str:
    """The reason for reading somebody's mail; asked for when a person sits there."""
    if given.strip():
        return given.strip()
    if sys.stdin.isatty() and sys.stderr.isatty():
        return str(typer.prompt("Reason (kept in the audit trail)", err=True))
    return NO_REASON


def _plain(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)
