"""`livearchive keys backup|restore|rewrap`: the keyring's file and its copies."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from app import audit
from app.audit import events
from app.audit.kinds import Event
from app.cli.access import DataOption, keys_for, opened
from app.cli.output import Failed, operator, say
from app.viewer import Actor
from app.wiring import Parts
from archive_store.clock import utc_now
from archive_store.config import PROVIDERS
from archive_store.durable import replace_file
from archive_store.errors import KeyringError, StoreBusy
from archive_store.keyring import KeyringFile
from archive_store.keyring_backup import drop_lost_day_keys, opened_backup, sealed_backup
from archive_store.masterkey import master_key
from archive_store.tombstones import Tombstones

PassphraseOption = Annotated[
    bool,
    typer.Option("--passphrase-stdin", help="Read the copy's passphrase from standard input."),
]


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write the copy.")],
    days: Annotated[
        bool, typer.Option("--days", help="With the keys of days: whoever opens it can read mail.")
    ] = False,
    passphrase_stdin: PassphraseOption = False,
    data: DataOption = None,
) -> None:
    """Copy what of the keyring cannot be made anew, sealed under a passphrase.

    Beside it, FILE.deleted says what was deleted for good: a restore needs both.
    """
    if file.exists():
        raise Failed(f"{file} exists already")
    passphrase = _passphrase(passphrase_stdin, confirm=True)
    with opened(data) as parts, keys_for(parts) as keys:
        octets = sealed_backup(keys.keyring_copy(operator(), days=days), passphrase)
        deleted = Tombstones.beside(parts.store.keyring).octets()
    replace_file(Tombstones.beside(file.absolute()).path, deleted)
    replace_file(file.absolute(), octets, mode=0o400)
    if days:
        say(f"{file} opens mail of these days and of the next: destroy it within {_kept(parts)}")
    else:
        say(f"{file} opens no mail; with it a lost keyring can be made anew")


def restore(
    file: Annotated[Path, typer.Argument(help="The copy that `keys backup` made.")],
    passphrase_stdin: PassphraseOption = False,
    data: DataOption = None,
) -> None:
    """Put a lost keyring back from a copy; keys of days that are over stay destroyed."""
    octets, passphrase = _read(file), _passphrase(passphrase_stdin, confirm=False)
    with opened(data) as parts, alone(parts) as target:
        if target.exists():
            raise Failed(f"there is a keyring at {target.path}: move it away first")
        store, now = parts.store, utc_now()
        keep = {"mail": store.keep, "mailbag": store.mailbag_keep, "log": store.maillog_keep}
        keyring = opened_backup(octets, passphrase, now, keep)
        if keyring.installation != parts.public.installation:
            raise KeyringError(f"{file} belongs to another installation")
        with parts.db.write() as tx:
            # Before the file: a restore that was interrupted here can be done again.
            drop_lost_day_keys(tx, keyring, now)
        Tombstones.beside(target.path).add(Tombstones.beside(file.absolute()).read())
        target.save(keyring)
        _record(parts, events.KeysRestored())
    say(f"{target.path} is back, with the keys of {len(keyring.days['mail'])} days of mail")


def rewrap(
    provider: Annotated[str, typer.Argument(help=f"One of {', '.join(PROVIDERS)}.")],
    secret_file: Annotated[
        Path | None, typer.Option(help="The file with its passphrase or secret.", metavar="FILE")
    ] = None,
    data: DataOption = None,
) -> None:
    """Seal the keyring with another provider or secret; stop the service before."""
    if provider not in PROVIDERS:
        raise typer.BadParameter(f"no such provider: {provider} (of {', '.join(PROVIDERS)})")
    secret_file = secret_file.absolute() if secret_file else None
    with opened(data) as parts, alone(parts) as file:
        # Where Vault is, the settings say already.
        wanted = replace(parts.store.master_key, provider=provider, secret_file=secret_file)
        keyring = file.load()
        if keyring.installation != parts.public.installation:
            raise KeyringError(f"the keyring {file.path} belongs to another installation")
        KeyringFile(file.path, master_key(wanted)).save(keyring)
        _record(parts, events.KeysRewrapped(provider=provider))
    say(f"{file.path} is kept by the provider {provider} now; before the next start set")
    say(f"  LIVEARCHIVE_MASTER_KEY_PROVIDER={provider}")
    if wanted.secret_file is not None:
        say(f"  LIVEARCHIVE_MASTER_KEY_SECRET_FILE={wanted.secret_file}")


@contextmanager
def alone(parts: Parts) -> Iterator[KeyringFile]:
    """The keyring's file, while nobody else uses it."""
    file = KeyringFile.of(parts.store)
    try:
        with file.held():
            yield file
    except StoreBusy:
        raise Failed(f"the keyring {file.path} is in use: stop the service first") from None


def _passphrase(from_stdin: bool, *, confirm: bool) -> bytes:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n").encode()
    if not sys.stdin.isatty():
        raise Failed("expected --passphrase-stdin, or a terminal to ask for the passphrase")
    asked: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm)
    return asked.encode()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Failed(f"cannot read {file}: {(error.strerror or '').lower()}") from None


def _kept(parts: Parts) -> str:
    return f"{parts.store.keep.days} days"


def _record(parts: Parts, event: Event) -> None:
    with parts.db.write() as tx:
        actor = Actor.command_line(operator())
        audit.record(tx, event, trail=audit.INSTALLATION, actor=actor, at=utc_now())
