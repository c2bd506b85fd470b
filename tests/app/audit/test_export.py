"""An exported trail proves itself, and nothing that was changed does."""

import base64
import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import update

from app.audit import record
from app.audit.canonical import AuditEntry, encode_json, genesis
from app.audit.events import LoggedIn
from app.audit.export import SIGNED_CONTEXT, ExportRange, Signer, export
from app.audit.trail import AuditBroken
from app.audit.verify import ExportBroken, verify
from app.models import AuditEvent
from archive_store.db import Database
from tests.app.audit.conftest import NOW, TRAIL, VLAD, exported, write_some
from tests.parts.tables import make_tables


def check_file(octets: bytes, key: bytes | None = None) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    verify(BytesIO(octets), key, entries.append)
    return entries


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, signer: Signer) -> bytes:
    """One export, made once: the tests below try every change to it."""
    db = Database(f"sqlite:///{tmp_path_factory.mktemp('audit') / 'db'}")
    make_tables(db)
    with db.write() as tx:
        write_some(tx)
    octets = exported(db, signer)
    db.close()
    return octets


def test_an_export_proves_itself_on_every_database(database: Database, signer: Signer) -> None:
    with database.write() as tx:
        write_some(tx)
    octets = exported(database, signer)
    proof = verify(BytesIO(octets), signer.public_key)
    assert (proof.count, proof.last, proof.pinned) == (3, 3, True)
    assert (proof.header.trail, proof.header.domain) == (TRAIL, "acme.example")
    assert proof.header.installation == signer.installation
    assert not verify(BytesIO(octets)).pinned
    with database.read() as tx:
        assert [e.event for e in check_file(octets)] == [
            row.kind for row in tx.query(AuditEvent).order_by(AuditEvent.seq)
        ]


def test_the_stored_octets_are_exported_as_they_are(database: Database, signer: Signer) -> None:
    with database.write() as tx:
        write_some(tx)
    lines = exported(database, signer).splitlines()[1:-1]
    with database.read() as tx:
        stored = [row.octets for row in tx.query(AuditEvent).order_by(AuditEvent.seq)]
    assert [base64.b64decode(json.loads(line)["octets"]) for line in lines] == stored


def test_an_empty_trail_can_be_exported(database: Database, signer: Signer) -> None:
    proof = verify(BytesIO(exported(database, signer)), signer.public_key)
    assert (proof.count, proof.last, proof.head) == (0, 0, genesis(TRAIL))


def test_ranges_fit_together(database: Database, signer: Signer) -> None:
    with database.write() as tx:
        for hour in range(6):
            record(tx, LoggedIn(), trail=TRAIL, actor=VLAD, at=NOW + timedelta(hours=hour))

    def part(since: int | None, until: int | None) -> tuple[int, int, bytes, bytes]:
        out = BytesIO()
        wanted = ExportRange(
            trail=TRAIL,
            domain="acme.example",
            since=None if since is None else NOW + timedelta(hours=since),
            until=None if until is None else NOW + timedelta(hours=until),
        )
        with database.read() as tx:
            export(tx, out, wanted, signer, NOW)
        proof = verify(BytesIO(out.getvalue()), signer.public_key)
        assert proof.header.since == wanted.since
        return proof.header.first, proof.last, proof.header.prev, proof.head

    early, late = part(None, 2), part(2, None)
    assert (early[:2], late[:2]) == ((1, 2), (3, 6))
    assert early[3] == late[2]
    assert part(1, 4)[:2] == (2, 4)
    assert part(9, None)[:2] == (7, 6)
    assert part(None, 0)[:2] == (1, 0)
    assert part(4, 1)[:2] == (5, 4)


def test_of_a_broken_trail_nothing_is_signed(database: Database, signer: Signer) -> None:
    asked: list[bytes] = []

    def sign(octets: bytes) -> bytes:
        asked.append(octets)
        return signer.sign(octets)

    watching = Signer(installation=b"i" * 16, public_key=signer.public_key, sign=sign)
    with database.write() as tx:
        write_some(tx)
        tx.execute(update(AuditEvent).where(AuditEvent.seq == 2).values(kind="login.ended"))
    with pytest.raises(AuditBroken):
        exported(database, watching)
    assert asked == []


def test_only_octets_with_the_export_context_are_given_to_be_signed(
    database: Database, signer: Signer
) -> None:
    asked: list[bytes] = []

    def sign(octets: bytes) -> bytes:
        asked.append(octets)
        return signer.sign(octets)

    exported(database, Signer(installation=b"i" * 16, public_key=signer.public_key, sign=sign))
    assert [octets.startswith(SIGNED_CONTEXT) for octets in asked] == [True]


def test_every_single_flipped_bit_is_refused(small: bytes) -> None:
    survivors = []
    for place in range(len(small)):
        for bit in range(8):
            changed = bytearray(small)
            changed[place] ^= 1 << bit
            try:
                verify(BytesIO(bytes(changed)))
                survivors.append((place, bit))
            except ExportBroken:
                pass
    assert survivors == []


def test_every_cut_is_refused(small: bytes) -> None:
    for length in range(len(small)):
        with pytest.raises(ExportBroken):
            verify(BytesIO(small[:length]))


def rearranged(small: bytes) -> Iterator[bytes]:
    lines = small.splitlines(keepends=True)
    for place in range(len(lines)):
        yield b"".join(lines[:place] + lines[place + 1 :])  # removed
        yield b"".join(lines[: place + 1] + lines[place:])  # repeated
        yield b"".join([*lines[:place], b"\n", *lines[place:]])  # an empty line
        yield b"".join([*lines, lines[place]])  # again at the end
    for one, other in itertools.combinations(range(len(lines)), 2):
        swapped = list(lines)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        yield b"".join(swapped)
    yield small + b" "
    yield small.replace(b"\n", b"\r\n")


def test_every_removed_repeated_or_swapped_line_is_refused(small: bytes) -> None:
    for octets in rearranged(small):
        with pytest.raises(ExportBroken):
            verify(BytesIO(octets))


def test_every_line_in_another_spelling_is_refused(small: bytes) -> None:
    lines = small.splitlines()
    for place, line in enumerate(lines):
        spaced = json.dumps(json.loads(line)).encode()
        for other in (spaced, line + b" ", line.replace(b'"', b' "', 1)):
            with pytest.raises(ExportBroken):
                verify(BytesIO(b"\n".join([*lines[:place], other, *lines[place + 1 :], b""])))


def test_every_changed_value_is_refused_with_its_line(small: bytes) -> None:
    lines = small.splitlines()
    values: tuple[object, ...] = (None, 0, -1, True, "", "00", "x" * 64, [], {})
    for place, line in enumerate(lines):
        content = json.loads(line)
        for key, value in itertools.product(content, values):
            if content[key] == value and type(content[key]) is type(value):
                continue
            changed = encode_json(content | {key: value})
            with pytest.raises(ExportBroken):
                verify(BytesIO(b"\n".join([*lines[:place], changed, *lines[place + 1 :], b""])))


def test_the_first_bad_line_is_named(small: bytes) -> None:
    lines = small.splitlines(keepends=True)
    with pytest.raises(ExportBroken, match="entry 2 is missing here") as caught:
        verify(BytesIO(b"".join([*lines[:2], *lines[3:]])))
    assert caught.value.line == 3


def test_a_whole_forged_export_needs_the_right_key(small: bytes, signer: Signer) -> None:
    thief = Ed25519PrivateKey.from_private_bytes(b"t" * 32)
    other = thief.public_key().public_bytes_raw()
    lines = small.splitlines()
    header = encode_json(json.loads(lines[0]) | {"public_key": other.hex()})
    footer = json.loads(lines[-1])
    del footer["signature"]
    signature = thief.sign(SIGNED_CONTEXT + header + b"\n" + encode_json(footer) + b"\n")
    signed = encode_json(footer | {"signature": signature.hex()})
    forged = b"\n".join([header, *lines[1:-1], signed, b""])
    # Whole in itself, but not the installation's.
    assert verify(BytesIO(forged)).header.public_key == other
    with pytest.raises(ExportBroken, match="another public key"):
        verify(BytesIO(forged), signer.public_key)


@pytest.mark.parametrize("octets", [b"", b"\n", b"{}\n", b"x" * 200_000, b"\x00\n", b"[]\n"])
def test_what_is_no_export_is_refused_at_line_one(octets: bytes) -> None:
    with pytest.raises(ExportBroken) as caught:
        verify(BytesIO(octets))
    assert caught.value.line == 1


def test_a_file_on_disk_can_be_proved(small: bytes, tmp_path: Path, signer: Signer) -> None:
    path = tmp_path / "trail.jsonl"
    path.write_bytes(small)
    with path.open("rb") as file:
        assert verify(file, signer.public_key).count == 3
