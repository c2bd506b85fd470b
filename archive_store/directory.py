"""The directory of public keys: made by the keys role, checked by every writer.

Whoever can write to the database could slip in a public key of his own, and
mail would be sealed to him. So the public half of each day key is signed with
the installation's directory key (Ed25519), whose public half writers have from
`public.json` in the keys folder, not from the database.
"""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive_store import seal
from archive_store.durable import replace_file
from archive_store.errors import KeyForged, KeyringError, KeysMissing
from archive_store.ids import new_id
from archive_store.keyring import AHEAD_DAYS, Keyring
from archive_store.models import DayKey


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose key it is: a mailbox ("mail") or a domain's "mailbag" or "log"."""

    series: str
    tenant_id: bytes
    owner_id: bytes

    @classmethod
    def mailbox(cls, tenant_id: bytes, mailbox_id: bytes) -> "Owner":
        """The owner of a mailbox's mail."""
        return cls("mail", tenant_id, mailbox_id)

    @classmethod
    def mailbag(cls, tenant_id: bytes) -> "Owner":
        """The owner of what waits for a domain's primary."""
        return cls("mailbag", tenant_id, tenant_id)

    @classmethod
    def log(cls, tenant_id: bytes) -> "Owner":
        """The owner of a domain's mail log."""
        return cls("log", tenant_id, tenant_id)

    def place(self, installation: bytes, kind: str, day: date, *more: bytes) -> bytes:
        """The context of a box that belongs to this owner on this day."""
        return _place(self, installation, kind, day) + seal.prefixed(*more)


@lru_cache(maxsize=4096)
def _place(owner: Owner, installation: bytes, kind: str, day: date) -> bytes:
    # Five boxes a mail begin with one of a few of these.
    series = owner.series.encode()
    return seal.context(kind, installation, series, owner.tenant_id, owner.owner_id, day)


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What every role may know of the installation's keys."""

    installation: bytes
    directory: bytes
    audit: bytes
    receipts: dict[str, bytes]

    @classmethod
    def load(cls, keys_dir: Path) -> "PublicKeys":
        """Read `public.json`; KeyringError says how to make one."""
        path = keys_dir / "public.json"
        try:
            found = json.loads(path.read_bytes())
            return cls(
                bytes.fromhex(found["installation"]),
                base64.b64decode(found["directory"]),
                base64.b64decode(found["audit"]),
                {name: base64.b64decode(key) for name, key in found["receipts"].items()},
            )
        except FileNotFoundError:
            raise KeyringError(f"no {path}: run `livearchive init`, which makes it anew") from None
        except OSError as error:
            raise KeyringError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, KeyError) as error:
            raise KeyringError(f"{path} cannot be read as public keys") from error

    def save(self, keys_dir: Path) -> None:
        """Write `public.json`, durable."""
        text = json.dumps(
            {
                "installation": self.installation.hex(),
                "directory": base64.b64encode(self.directory).decode(),
                "audit": base64.b64encode(self.audit).decode(),
                "receipts": {
                    name: base64.b64encode(key).decode() for name, key in self.receipts.items()
                },
            },
            indent=1,
        )
        replace_file(keys_dir / "public.json", text.encode(), mode=0o644)


def public_octets(key: Ed25519PrivateKey) -> bytes:
    """The 32 octets of an Ed25519 key's public half."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _signed(owner: Owner, installation: bytes, day: date, public: bytes) -> bytes:
    return owner.place(installation, "day-key-public", day) + public


def lacking_day_keys(tx: Session, owners: Iterable[Owner], today: date) -> list[Owner]:
    """Those of the owners who lack a key of today or of the fourteen days ahead. One query."""
    last = today + timedelta(days=AHEAD_DAYS)
    complete = (
        select(DayKey.series, DayKey.owner_id)
        .where(DayKey.day.between(today, last))
        .group_by(DayKey.series, DayKey.owner_id)
        .having(func.count() > AHEAD_DAYS)
    )
    have = {(series, owner_id) for series, owner_id in tx.execute(complete)}
    return [owner for owner in owners if (owner.series, owner.owner_id) not in have]


def ensure_day_keys(tx: Session, keyring: Keyring, owners: Iterable[Owner], today: date) -> int:
    """Make each owner's missing day keys from today to fourteen days ahead; says how many."""
    wanted = {today + timedelta(days=ahead) for ahead in range(AHEAD_DAYS + 1)}
    made = 0
    for owner in owners:
        have = select(DayKey.day).where(
            DayKey.series == owner.series, DayKey.owner_id == owner.owner_id, DayKey.day >= today
        )
        for day in sorted(wanted - set(tx.scalars(have))):
            tx.add(make_day_key(keyring, owner, day))
            made += 1
    tx.flush()
    return made


def make_day_key(keyring: Keyring, owner: Owner, day: date) -> DayKey:
    """A new pair and summary key of one owner for one day, wrapped and signed."""
    pair = seal.KeyPair.generate()
    kek = keyring.kek(owner.series, day)
    signed = _signed(owner, keyring.installation, day, pair.public)
    return DayKey(
        id=new_id(),
        series=owner.series,
        tenant_id=owner.tenant_id,
        owner_id=owner.owner_id,
        day=day,
        public=pair.public,
        signature=keyring.directory_key.sign(signed),
        private=seal.wrap_kek(kek, pair.private, owner.place(keyring.installation, "day-key", day)),
        summary=seal.wrap_kek(
            kek, seal.new_key(), owner.place(keyring.installation, "summary-key", day)
        ),
    )


def current_day_key(
    tx: Session, keys: PublicKeys, owner: Owner, today: date
) -> tuple[DayKey, seal.PublicKey]:
    """The verified public key to seal to today.

    KeysMissing when there is none: the keys role was away for more than two weeks, or the
    owner is new. No older key serves instead: mail would leave before its time, after a 250.
    KeyForged when the directory's signature is not on it.
    """
    row = tx.scalars(
        select(DayKey).where(
            DayKey.series == owner.series,
            DayKey.owner_id == owner.owner_id,
            DayKey.day == today,
        )
    ).first()
    if row is None:
        raise KeysMissing("a mailbox has no key for today: is the keys role running?")
    check_signature(keys, owner, row)
    return row, seal.load_public(row.public)


def check_signature(keys: PublicKeys, owner: Owner, row: DayKey) -> None:
    """Raise KeyForged unless the directory signed this public key for this owner and day."""
    signed = _signed(owner, keys.installation, row.day, row.public)
    verify: Callable[[bytes, bytes], None] = Ed25519PublicKey.from_public_bytes(
        keys.directory
    ).verify
    try:
        verify(row.signature, signed)
    except InvalidSignature as error:
        raise KeyForged(row.series, row.tenant_id, row.owner_id) from error
