"""`livearchive messages list|export` and `livearchive import`."""

import mailbox
import shutil
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from app.cli.access import DataOption, keys_for, opened
from app.cli.importing import read_messages
from app.cli.output import JsonOption, ReasonOption, emit, operator, reason, say, table
from app.operations import Listed, MailboxReader, import_messages
from archive_store import ids
from archive_store.durable import make_folder, put_file, sync_file, sync_folder

app = typer.Typer(no_args_is_help=True)
Address = Annotated[str, typer.Argument(help="The mailbox's address.")]


class Format(StrEnum):
    """How exported messages are written."""

    EML = "eml"
    MBOX = "mbox"
    MAILDIR = "maildir"


@app.command("list")
def list_messages(
    address: Address,
    folder: Annotated[str, typer.Option(help="Only this folder.")] = "",
    reason_given: ReasonOption = "",
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """List what a mailbox holds, newest first."""
    why = reason(reason_given)
    with opened(data) as parts, keys_for(parts) as keys:
        found = MailboxReader(parts, keys, operator(), why).list_messages(address, folder)
    if json:
        for one in found:
            emit(_as_json(one))
        return
    header = ["ID", "RECEIVED", "FOLDER", "FROM", "SUBJECT"]
    table(
        [
            [one.id, f"{one.received_at:%F %T}", one.folder, one.sender, one.subject]
            for one in found
        ],
        header,
    )


@app.command("export")
def export(
    address: Address,
    out: Annotated[Path, typer.Option(help="The folder to write into.", file_okay=False)],
    format_: Annotated[Format, typer.Option("--format", help="How to write.")] = Format.EML,
    reason_given: ReasonOption = "",
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Write a mailbox's messages to files: the octets exactly as received."""
    why = reason(reason_given)
    make_folder(out.absolute())
    with opened(data) as parts, keys_for(parts) as keys:
        messages = MailboxReader(parts, keys, operator(), why).export(address)
        count = _write(messages, out, format_)
    if json:
        emit({"exported": count, "folder": str(out)})
    else:
        say(f"{count} messages written to {out}")


def register(root: typer.Typer) -> None:
    """Add `livearchive import`, which stands at the top of the tree."""
    root.command("import")(import_)


def import_(
    path: Annotated[
        Path, typer.Argument(help=".eml file, mbox file, Maildir, or a folder of .eml.")
    ],
    to: Annotated[str, typer.Option(help="The mailbox's address.")],
    json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Bring messages from files into a mailbox."""
    found = read_messages(path)
    with opened(data) as parts, keys_for(parts) as keys:
        keys.ensure_keys()
        with Progress(transient=True, disable=json) as progress:
            task = progress.add_task("Importing", total=len(found))
            count = import_messages(parts, operator(), to, found, lambda: progress.advance(task))
    if json:
        emit({"imported": count})
    else:
        say(f"{count} messages imported into {to}")


def _as_json(one: Listed) -> dict[str, Any]:
    return {
        "id": one.id,
        "message_id": one.message_id,
        "from": one.sender,
        "subject": one.subject,
        "folder": one.folder,
        "received_at": one.received_at.isoformat().replace("+00:00", "Z"),
        "size": one.size,
        "seen": one.seen,
        "envelope_from": one.envelope_from,
        "envelope_to": one.envelope_to,
    }


def _write(messages: Iterator[tuple[bytes, bytes]], out: Path, format_: Format) -> int:
    """Write them; what has its name is whole, also when the disk is full half-way."""
    if format_ is Format.MBOX:
        return _write_mbox(messages, out)
    if format_ is Format.MAILDIR:
        return _write_maildir(messages, out / "Maildir")
    count = 0
    for entry_id, octets in messages:
        put_file(out / f"{ids.show(entry_id)}.eml", octets)
        count += 1
    sync_folder(out)
    return count


def _write_mbox(messages: Iterator[tuple[bytes, bytes]], out: Path) -> int:
    """All of them or none, after what the file holds already."""
    path, new = out / "mailbox.mbox", out / ".mailbox.mbox.new"
    new.unlink(missing_ok=True)
    if path.exists():
        shutil.copyfile(path, new)
    count = 0
    try:
        with closing(mailbox.mbox(new)) as box:
            for _, octets in messages:
                box.add(octets)
                count += 1
            box.flush()
        sync_file(new)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_folder(out)
    return count


def _write_maildir(messages: Iterator[tuple[bytes, bytes]], folder: Path) -> int:
    """A name comes from the entry, so that a second run adds nothing that is there."""
    for name in ("tmp", "new", "cur"):
        make_folder((folder / name).absolute())
    new = folder / "new"
    # What a mail program has seen since lies in `cur`, and its name has flags behind a colon.
    seen = {path.name.partition(":")[0] for path in (folder / "cur").iterdir()}
    count = 0
    for entry_id, octets in messages:
        count += 1
        name = ids.show(entry_id)
        if name in seen:
            continue
        put_file(folder / "tmp" / name, octets)
        (folder / "tmp" / name).replace(new / name)
    for place in (new, folder, folder.parent):
        sync_folder(place)
    return count
