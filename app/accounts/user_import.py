"""Adding many people from a CSV file (RFC 4180), with a look before the leap.

The first line names the columns: `address`, and `name` and `role` where wanted, in any
order; commas or semicolons, UTF-8 with or without a byte order mark, as spreadsheets
write them. `plan` checks every line against the database and changes nothing; `apply`
adds all the people of a plan without problems, each with a generated password.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from sqlalchemy.orm import Session

from app.accounts import domains, users
from app.accounts.errors import AccountError, Invalid
from app.accounts.names import clean_name
from app.accounts.passwords import Passwords, generate
from app.accounts.permissions import Permission, require, require_grant
from app.accounts.users import NewUser
from app.models import User
from app.secret import Secret
from app.viewer import Actor, Role, Viewer
from archive_store.address import EmailAddress

MOST_ROWS = 20_000
MOST_OCTETS = 8 * 1024 * 1024
_COLUMNS = ("address", "name", "role")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """One person of the file."""

    line: int
    address: EmailAddress
    name: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a line cannot be taken; line 1 has the names of the columns."""

    line: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """What an import would do. With any problem nothing is added at all."""

    rows: tuple[ImportRow, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A person ready to be added, with the password to hand over."""

    new: NewUser
    password: Secret


def plan(tx: Session, who: Viewer | Actor, octets: bytes) -> ImportPlan:
    """Read and check a whole file; changes nothing."""
    try:
        lines = _lines(octets)
    except Invalid as error:
        return ImportPlan(rows=(), problems=(Problem(line=1, message=error.message),))
    rows: list[ImportRow] = []
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for line, cells in lines:
        try:
            row = _row(line, cells)
            key = row.address.key
            if key in seen:
                raise Invalid("address", f"the address stands in line {seen[key]}, too")
            seen[key] = line
            _check(tx, who, row)
            rows.append(row)
        except AccountError as error:
            problems.append(Problem(line=line, message=str(error)))
    return ImportPlan(rows=tuple(rows), problems=tuple(problems))


def prepare(passwords: Passwords, row: ImportRow) -> Prepared:
    """Generate and hash a password; slow, so outside of any transaction."""
    password = generate()
    hashed = passwords.hash(password)
    new = NewUser(address=row.address, name=row.name, role=row.role, password_hash=hashed)
    return Prepared(new=new, password=password)


def apply(
    tx: Session, who: Viewer | Actor, people: Sequence[Prepared], now: datetime
) -> tuple[User, ...]:
    """Add all of them or, with an error, none. The caller has the day keys made."""
    return tuple(users.add(tx, who, prepared.new, now) for prepared in people)


def _lines(octets: bytes) -> list[tuple[int, dict[str, str]]]:
    if len(octets) > MOST_OCTETS:
        raise Invalid("file", f"the file has more than {MOST_OCTETS // 1024**2} MiB")
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("file", "the file is not text in UTF-8") from error
    first = text.partition("\n")[0]
    reader = csv.reader(StringIO(text, newline=""), delimiter=";" if ";" in first else ",")
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        if "address" not in header or len(set(header)) != len(header):
            raise Invalid("file", "the first line must name the columns: address,name,role")
        if strange := sorted(set(header) - set(_COLUMNS)):
            raise Invalid("file", f"unknown column: {strange[0][:40]!r}")
        lines = []
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append((reader.line_num, dict(zip(header, cells, strict=False))))
            if len(lines) > MOST_ROWS:
                raise Invalid("file", f"the file has more than {MOST_ROWS} people")
    except csv.Error as error:
        raise Invalid("file", f"the file is not CSV: {error}") from error
    return lines


def _row(line: int, cells: dict[str, str]) -> ImportRow:
    address = users.parse_address(cells.get("address", ""))
    return ImportRow(
        line=line,
        address=address,
        name=clean_name(cells.get("name", "").strip() or address.local),
        role=users.parse_role(cells.get("role", "").strip() or Role.USER),
    )


def _check(tx: Session, who: Viewer | Actor, row: ImportRow) -> None:
    domain = domains.by_name(tx, row.address.ascii_domain)
    if domain is None:
        raise Invalid("address", f"no such domain: {row.address.ascii_domain}")
    require(who, Permission.MANAGE_PEOPLE, domain.id)
    require_grant(who, row.role)
    users.require_free(tx, row.address.key)
