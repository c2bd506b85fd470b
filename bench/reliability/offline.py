"""The n-th call fails in a sweep or an export, on a fresh copy each time.

The installation has mail of nine days ago, which a sweep removes, and mail of today, which must
stay. A point takes some tenths of a second, nearly all of it spent waiting for the sockets of its
own keys role to close; so `run` shares the points out over many processes, each with a copy of its
own and with the library of `faults.c` in front:
`python -m bench.reliability.offline FOLDER SHARE`.
"""

import contextlib
import itertools
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
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
from bench.reliability.places import Places, beside, drop_database, make_database
from tests.scenarios.service import Service

ADDRESS = "vlad@acme.example"
OLD, NEW = [f"old {n}" for n in range(6)], [f"new {n}" for n in range(6)]
EARLIER = b"From MAILER-DAEMON Tue Nov 24 08:00:00 2026\nSubject: earlier\n\nstays\n\n"
FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"
PROCESSES = 4 * (os.cpu_count() or 1)


@dataclass(slots=True)
class Done:
    """What a run did and saw."""

    points: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be tried: so many n of each fault (0: every n). The URLs: empty for SQLite and
    files; beside the database others are made.
    """

    operations: Sequence[str]
    faults: Sequence[str]
    points: int
    database_url: str = ""
    objects_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Wanted):
    """What one process does: of these n every `of`-th."""

    number: int
    of: int


def run(wanted: Wanted, folder: Path, library: Path) -> Done:
    """Every fault of these operations. What is wrong is in what comes back."""
    folder.mkdir()
    if not wanted.database_url:
        return _run(wanted, folder, library)
    template = beside(wanted.database_url, "template")
    make_database(template)
    try:
        return _run(replace(wanted, database_url=template), folder, library)
    finally:
        drop_database(template)


def _run(wanted: Wanted, folder: Path, library: Path) -> Done:
    service = _installation(folder, wanted.database_url)
    of = min(wanted.points or PROCESSES, PROCESSES)
    all_done, counted = Done(), Counter[str]()
    with ExitStack() as ending:
        processes = []
        for number in range(of):
            share = Share(**asdict(wanted), number=number, of=of)
            processes.append(ending.enter_context(_started(share, service, library)))
        for process in processes:
            output, _ = process.communicate()
            if process.returncode:
                raise SystemExit("reliability: a process of sweep and export ended by itself")
            done = Done(**json.loads(output.splitlines()[-1]))
            counted.update(done.points)
            all_done.wrong += done.wrong
    all_done.points |= counted
    return all_done


def _started(share: Share, service: Service, library: Path) -> subprocess.Popen[bytes]:
    folder = service.folder
    control = Control(folder / f"control{share.number}")
    return subprocess.Popen(
        [sys.executable, "-m", __spec__.name, str(folder), json.dumps(asdict(share))],
        env=service.environment | control.environment(library, folder / f"work{share.number}"),
        stdout=subprocess.PIPE,
    )


def _installation(folder: Path, database_url: str) -> Service:
    """Mail of nine days ago and of today, in `template`."""
    service = Service(folder, database_url or "sqlite:")
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
    """A process with the library in front. `work` is the folder whose files are meant."""

    def __init__(self, folder: Path, share: Share) -> None:
        self._share = share
        self._work = folder / f"work{share.number}"
        self._data = self._work / "data"
        self._out = self._work / "out"
        self._box = self._out / "mailbox.mbox"
        self._control = Control(folder / f"control{share.number}", new=False)
        urls = share.database_url, share.objects_url
        self._places = Places(folder / "template", *urls, share.number)
        self.done = Done()

    def every(self, name: str) -> None:
        """Every fault of an operation, at this share of the n."""
        operations = {"sweep": [self._sweep], "export": [self._eml, self._mbox, self._maildir]}
        self.done.points[name] = 0
        for each in operations[name]:
            for fault in (one for one in FAULTS if one.name in self._share.faults):
                for at in self._numbers(each, fault):
                    if not self._once(each, fault, at).fired:
                        break  # it makes no more calls than that
                    self.done.points[name] += 1

    def _numbers(self, each: Callable[[], None], fault: Fault) -> Iterator[int]:
        share = self._share
        if not share.points:
            return itertools.count(1 + share.number, share.of)
        count = self._once(each, fault, NEVER).calls
        return iter(thinned(count, share.points)[share.number :: share.of])

    def _once(self, operation: Callable[[], None], fault: Fault, at: int) -> Seen:
        self._places.make(self._data)
        self._out.mkdir()
        self._box.write_bytes(EARLIER)
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

    def end(self) -> None:
        """Remove the last copy."""
        self._places.end()

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
        if any(octets not in wanted for octets in self._exported()):
            self._wrong(what, "part of a mail was left under its name")
        if self._in_box() not in (0, len(NEW)):
            self._wrong(what, "part of an mbox was left")

    def _in_box(self) -> int:
        """How many mails were added to the mbox. -1: what was in it is no longer as it was."""
        octets = self._box.read_bytes()
        return octets.count(b"\nSubject: ") - 1 if octets.startswith(EARLIER) else -1

    def _check(self, what: str, operation: Callable[[], None]) -> None:
        if operation == self._sweep:
            self._check_swept(what)
            self._eml()
        count = len(self._exported())
        if operation == self._mbox:
            count = self._in_box()
        # An mbox gets them a second time when all of them were there and only its folder unsynced.
        most = 2 * len(NEW) if operation == self._mbox else len(NEW)
        if not len(NEW) <= count <= most:
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
    share = Share(**json.loads(sys.argv[2]))
    faulty = Faulty(Path(sys.argv[1]), share)
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        for name in share.operations:
            faulty.every(name)
    faulty.end()
    print(json.dumps(asdict(faulty.done)))


if __name__ == "__main__":
    main()
