"""A database with the tables, a signer, and a trail to write to."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from app.audit import Actor, record
from app.audit.events import DomainAdded, LoginFailed, LoginFailure, MessageOpened
from app.audit.export import ExportRange, Signer, export
from archive_store.db import Database
from tests.parts.tables import make_tables

NOW = datetime(2026, 11, 24, 6, 30, 0, 5, tzinfo=UTC)
TRAIL = bytes(range(16))
VLAD = Actor(user_id=b"v" * 16, address="vlad@acme.example", client_ip="192.0.2.7")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    db = Database(database_url)
    make_tables(db)
    yield db
    db.close()


@pytest.fixture(scope="session")
def signer() -> Signer:
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    return Signer(
        installation=b"i" * 16, public_key=key.public_key().public_bytes_raw(), sign=key.sign
    )


def write_some(tx: Session, trail: bytes | None = TRAIL) -> None:
    """Three events, one of them with text that tries to break a line."""
    record(
        tx,
        DomainAdded(domain_id=TRAIL, domain="acme.example", mode="relay", relay="mx:25"),
        trail=trail,
        actor=Actor.command_line("root"),
        at=NOW,
    )
    record(
        tx,
        LoginFailed(address='a\r\n"é\u2028\ud800@acme.example', reason=LoginFailure.WRONG_PASSWORD),
        trail=trail,
        actor=Actor(client_ip="2001:db8::1"),
        at=NOW,
    )
    record(
        tx,
        MessageOpened(mailbox_id=b"m" * 16, entry_id=b"e" * 16),
        trail=trail,
        actor=VLAD,
        at=NOW,
    )


def exported(database: Database, signer: Signer, trail: bytes = TRAIL) -> bytes:
    out = BytesIO()
    with database.read() as tx:
        export(tx, out, ExportRange(trail=trail, domain="acme.example"), signer, NOW)
    return out.getvalue()
