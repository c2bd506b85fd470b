"""The demo organisation: acme.example in relay mode to the stand-in, and four people.

`seed` is safe to repeat: it makes what is missing, follows new ports of the stand-in, and leaves
the rest alone. Passwords are random, made once, and kept in `<data>/demo-logins.txt` (mode 0600) as
the lines that the demo prints: `LOGIN <address> <password>`. Losing that file means new passwords.
The caller has the day keys made afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from app.accounts import domains, identities, users
from app.accounts.passwords import Passwords, generate
from app.accounts.users import NewUser
from app.config_kinds import HostPort
from app.models import Domain
from app.secret import Secret
from app.viewer import Actor, Role
from archive_store.db import Database
from archive_store.durable import replace_file

DOMAIN = "acme.example"
LOGINS = "demo-logins.txt"
ACTOR = Actor.system("demo")


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody to sign in as; `identities` are further ones, which also receive."""

    address: str
    name: str
    role: Role
    identities: tuple[str, ...] = ()


PEOPLE = (
    DemoPerson(
        "vlad@acme.example",
        "Vlad Mazek",
        Role.USER,
        ("Vlad Mazek <vlad@ownwebnow.example>", "Acme Sales <sales@acme.example>"),
    ),
    DemoPerson("maria@acme.example", "Maria Lopez", Role.DOMAIN_ADMIN),
    DemoPerson("audit@acme.example", "Audit", Role.AUDITOR),
    DemoPerson("provider@livearchive.example", "Provider", Role.PROVIDER),
)


@dataclass(frozen=True, slots=True)
class Login:
    """How one person signs in."""

    address: str
    password: Secret

    def line(self) -> str:
        """For the terminal and the file; the only place where the password is in clear."""
        return f"LOGIN {self.address} {self.password.reveal()}"


@dataclass(frozen=True, slots=True)
class Servers:
    """The stand-in's two ports: the domain's primary, and the way to the outside."""

    primary: HostPort
    outside: HostPort


def seed(
    db: Database, data_dir: Path, passwords: Passwords, servers: Servers, now: datetime
) -> tuple[Login, ...]:
    """Make the organisation, or what of it is missing; returns how to sign in."""
    known = read_logins(data_dir)
    logins = tuple(
        Login(person.address, known.get(person.address) or generate()) for person in PEOPLE
    )
    # Before the database: a password that is only there as a hash opens nothing.
    lines = "".join(f"{login.line()}\n" for login in logins)
    replace_file(data_dir / LOGINS, lines.encode())
    with db.read() as tx:
        missing = [person for person in PEOPLE if users.by_address(tx, person.address) is None]
    prepared = {
        person.address: _prepare(passwords, person, login)
        for person, login in zip(PEOPLE, logins, strict=True)
        if person in missing or person.address not in known
    }
    with db.write() as tx:
        _seed_domain(tx, servers, now)
        for person in PEOPLE:
            _seed_person(tx, person, prepared.get(person.address), now)
    return logins


def read_logins(data_dir: Path) -> Mapping[str, Secret]:
    """The passwords of earlier starts, by address."""
    try:
        text = (data_dir / LOGINS).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    words = [line.split() for line in text.splitlines()]
    return {line[1]: Secret(line[2]) for line in words if len(line) == 3 and line[0] == "LOGIN"}


def _prepare(passwords: Passwords, person: DemoPerson, login: Login) -> NewUser:
    return users.prepare(passwords, person.address, person.name, person.role, login.password)


def _seed_domain(tx: Session, servers: Servers, now: datetime) -> Domain:
    domain = domains.by_name(tx, DOMAIN)
    if domain is None:
        domain = domains.add(tx, ACTOR, DOMAIN, servers.primary, now)
        domains.enable(tx, ACTOR, domain, now, all_users=True)
    wanted = {"relay": str(servers.primary), "smarthost": str(servers.outside)}
    domains.change(tx, ACTOR, domain, wanted, now)
    return domain


def _seed_person(tx: Session, person: DemoPerson, new: NewUser | None, now: datetime) -> None:
    user = users.by_address(tx, person.address)
    if user is not None:
        if new is not None:  # the file with the passwords is gone
            users.reset_password(tx, ACTOR, user, new.password_hash, now)
        return
    if new is None:
        return  # removed since we looked; the next start makes the person again
    user = users.add(tx, ACTOR, new, now)
    for text in person.identities:
        identities.add(tx, ACTOR, user, identities.parse(text, receive=True), now)
