"""The n-th file operation fails in a sweep or an export: in one process, with a copy each time.

The installation has mail of nine days ago, which a sweep removes, and mail of today, which must
stay. `python -m bench.reliability.offline OPERATIONS FOLDER POINTS FAULTS` is that process;
`run` makes the installation and starts it with the library of `faults.c` in front.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.cli.access import keys_for, opened
from app.cli.messages import Format, export
from app.fsck.check import check
from app.fsck.ports import store_of
from app.operations import import_messages
from app.retention import sweep
from archive_store.clock import day_of, utc_now
from archive_store.errors import StoreError
from archive_store.keyring import KeyringFile
from bench.reliability.control import EVERYBODY, FAULTS, NEVER, Control, Fault, Seen, thinned
from bench.reliability.ledger import octets_of
from tests.scenarios.service import Service

ADDRESS = "vlad@acme.example"
OLD, NEW = [f"old {n}" for n in range(6)], [f"new {n}" for n in range(6)]
FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"


@dataclass(slots=True)
class Done:
    """What a run did and saw."""

    points: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def run(
    operations: Sequence[str], folder: Path, library: Path, points: int, faults: Sequence[str]
) -> Done:
    """Every fault of these operations. What is wrong is in what comes back."""
    folder.mkdir()
    service = _installation(folder)
    control = Control(folder / "control")
    service.environment |= control.environment(library, folder / "work")
    words = [",".join(operations), str(folder), str(points), *faults]
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, *words],
        env=service.environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    return Done(**json.loads(done.stdout.splitlines()[-1]))


def _installation(folder: Path) -> Service:
    """Mail of nine days ago and of today, in `template`."""
    service = Service(folder, "sqlite:")
    service.data = folder / "template"
    service.environment["LIVEARCHIVE_DATA_DIR"] = str(service.data)
    service.set_up()
    mails = folder / "mails"
    mails.mkdir()
    for name in OLD:
        (mails / f"{name}.eml").write_bytes(octets_of(name))
    service.environment |= {"LD_PRELOAD": _faketime(), "FAKETIME": "-9d"}
    service.must("import", str(mails), "--to", ADDRESS)
    del service.environment["LD_PRELOAD"]
    with service.parts() as (parts, keys):
        keys.ensure_keys()
        import_messages(parts, "tester", ADDRESS, [octets_of(name) for name in NEW], lambda: None)
    for path in (service.data / "keys").glob(".*.clock"):
        path.unlink()  # it saw the clock jump
    return service


def _faketime() -> str:
    found = next(Path("/").glob(FAKETIME.lstrip("/")), None)
    if found is None:
        raise SystemExit("reliability: install the package faketime")
    return str(found)


class Faulty:
    """The process with the library in front. `work` is the folder whose files are meant."""

    def __init__(self, folder: Path, control: Control) -> None:
        self._template = folder / "template"
        self._work = folder / "work"
        self._data = self._work / "data"
        self._out = self._work / "out"
        self._control = control
        self.done = Done()

    def every(self, name: str, points: int, faults: Sequence[str]) -> None:
        """Every fault, at every n or at so many."""
        operations = {"sweep": [self._sweep], "export": [self._eml, self._mbox, self._maildir]}
        self.done.points[name] = 0
        for each in operations[name]:
            for fault in (one for one in FAULTS if one.name in faults):
                count = self._once(each, fault, NEVER).calls
                for at in thinned(count, points or count):
                    self.done.points[name] += self._once(each, fault, at).fired > 0

    def _once(self, operation: Callable[[], None], fault: Fault, at: int) -> Seen:
        shutil.rmtree(self._work, ignore_errors=True)
        shutil.copytree(self._template, self._data)
        self._out.mkdir()
        os.environ["LIVEARCHIVE_DATA_DIR"] = str(self._data)
        what = f"{operation.__name__}, {fault.name} at {at}"
        self._control.arm(EVERYBODY, fault, at)
        try:
            operation()
        except (StoreError, OSError) as error:
            if isinstance(error, OSError) and operation == self._sweep:
                self._wrong(what, f"{error!r} would end the role")
        except Exception as error:  # the edge: whatever it is, it is not how a fault is to end
            self._wrong(what, f"{error!r}")
        seen = self._control.disarm()
        what = f"{what} ({seen.call} {Path(seen.path).name})"
        self._whole_or_not_there(what)
        try:
            operation()
            self._check(what, operation)
        except Exception as error:  # the same: the fault is gone, so nothing may fail
            self._wrong(what, f"afterwards {error!r}")
        return seen

    def _wrong(self, what: str, text: str) -> None:
        self.done.wrong.append(f"{what}: {text}")

    def _sweep(self) -> None:
        with opened(self._data) as parts, keys_for(parts) as keys:
            keys.ensure_keys()
            sweep(parts, keys)

    def _eml(self) -> None:
        self._export(Format.EML)

    def _mbox(self) -> None:
        self._export(Format.MBOX)

    def _maildir(self) -> None:
        self._export(Format.MAILDIR)

    def _export(self, format_: Format) -> None:
        export(ADDRESS, self._out, format_, "test", True, self._data)

    def _exported(self) -> list[bytes]:
        """The mails in files that have their names; of an mbox all of it, as one."""
        found = [*self._out.glob("*.eml"), *self._out.glob("Maildir/new/*")]
        return [path.read_bytes() for path in found]

    def _whole_or_not_there(self, what: str) -> None:
        wanted = [octets_of(name) for name in NEW]
        # Maildir files have the line ends of Unix.
        wanted += [octets.replace(b"\r\n", b"\n") for octets in wanted]
        if any(octets not in wanted for octets in self._exported()):
            self._wrong(what, "part of a mail was left under its name")
        box = self._out / "mailbox.mbox"
        if box.exists() and box.read_bytes().count(b"\nSubject: ") not in (0, len(NEW)):
            self._wrong(what, "part of an mbox was left")

    def _check(self, what: str, operation: Callable[[], None]) -> None:
        if operation == self._sweep:
            self._check_swept(what)
            self._eml()
        count = len(self._exported())
        if operation == self._mbox:
            count = (self._out / "mailbox.mbox").read_bytes().count(b"\nSubject: ")
        # What an export that failed had finished is there twice in a Maildir, under new names.
        if count < len(NEW) or (operation != self._maildir and count > 2 * len(NEW)):
            self._wrong(what, f"{count} mails afterwards")

    def _check_swept(self, what: str) -> None:
        with opened(self._data) as parts, keys_for(parts) as keys:
            found = check(store_of(parts, keys, "tester", utc_now()))
            days = parts.segments.days()
            keyring = KeyringFile(parts.store.keyring).load()
        if found.problems or found.not_genuine or found.entries != len(NEW):
            text = [each.text for each in found.problems][:3]
            self._wrong(what, f"fsck afterwards: {found.entries} entries, {text}")
        kept = sorted(keyring.days["mail"])
        if days != [day_of(utc_now())] or (utc_now().date() - kept[0]).days > 8:
            self._wrong(what, f"not all has gone: {days}, keys from {kept[0]}")


def main() -> None:
    """The process that `run` starts."""
    operations, folder, points = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    faulty = Faulty(folder, Control(folder / "control", new=False))
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        for name in operations.split(","):
            faulty.every(name, points, sys.argv[4:])
    print(json.dumps(asdict(faulty.done)))


if __name__ == "__main__":
    main()
