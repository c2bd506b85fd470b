"""A copy of the keyring for elsewhere, sealed under a passphrase of its own (Argon2id).

By itself it has only what cannot be made anew: the installation's id, the directory key, the
audit key and the seed that seals secrets in the database (the private halves of DKIM keys). Such a
copy opens no mail, whenever and beside whatever it is found. With days it has
the keys of all days of the keyring, those ahead included, and has to be destroyed like them.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from archive_store.clock import day_of
from archive_store.errors import KeyringError, SealBroken
from archive_store.keyring import SERIES, Keyring
from archive_store.masterkey import (
    SHORTEST_PASSPHRASE,
    SealedFile,
    Work,
    passphrase_again,
    passphrase_header,
    seal_file,
)
from archive_store.models import DayKey

_PROVIDER = "backup"


def without_days(keyring: Keyring) -> Keyring:
    """What of a keyring opens nothing."""
    nothing: dict[str, dict[date, bytes]] = {name: {} for name in SERIES}
    seeds = (keyring.directory_seed, keyring.audit_seed)
    return Keyring(keyring.installation, *seeds, nothing, secrets_seed=keyring.secrets_seed)


def sealed_backup(keyring: bytes, passphrase: bytes, work: Work | None = None) -> bytes:
    """The copy's octets; `keyring` are those of `Keyring.to_json`."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise KeyringError(
            f"the passphrase is too short: at least {SHORTEST_PASSPHRASE} characters"
        )
    key, header = passphrase_header(passphrase, work or Work())
    return seal_file(key, _PROVIDER, header, keyring)


def opened_backup(
    octets: bytes, passphrase: bytes, now: datetime, keep: Mapping[str, timedelta]
) -> Keyring:
    """The keyring of a copy, without the days that are over: what was destroyed stays so."""
    sealed = SealedFile.read(octets)
    if sealed is None or sealed.provider != _PROVIDER:
        raise KeyringError("this file was not made by `livearchive keys backup`")
    try:
        keyring = Keyring.from_json(sealed.open(passphrase_again(passphrase, sealed.header)))
    except SealBroken:
        raise KeyringError("it does not open with this passphrase") from None
    except (ValueError, KeyError, TypeError):
        raise KeyringError("this file was not made by `livearchive keys backup`") from None
    keyring.expire(now, keep)
    return keyring


def drop_lost_day_keys(tx: Session, keyring: Keyring, now: datetime) -> None:
    """Drop the day keys, from today on, that no key of this keyring opens: new ones are made."""
    for series, days in keyring.days.items():
        lost = DayKey.series == series, DayKey.day >= day_of(now), DayKey.day.not_in(days)
        tx.execute(delete(DayKey).where(*lost))
