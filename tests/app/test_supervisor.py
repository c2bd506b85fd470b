"""The supervisor: what it starts again, and what ends everything."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.supervisor import CannotStart, Program, Supervisor

ROLE = """
import pathlib, sys
marks = pathlib.Path(__file__).with_name("marks")
with marks.open("a") as file:
    file.write("x")
times = len(marks.read_text())
{before}
print("ready", flush=True)
sys.stdin.read()
"""


class Roles:
    """Programs of our own making in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PYTHONPATH": str(folder)}

    def make(self, before: str) -> Supervisor:
        (self.folder / "a_role.py").write_text(ROLE.format(before=before))
        return Supervisor([Program("a", "a_role")], self.environment)

    @property
    def starts(self) -> int:
        return len((self.folder / "marks").read_text())


@pytest.fixture
def roles(tmp_path: Path) -> Iterator[Roles]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield Roles(tmp_path)
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_a_role_that_fails_at_first_is_started_again(roles: Roles) -> None:
    supervisor = roles.make("if times < 3: sys.exit(1)")
    supervisor.run(supervisor.stop)
    assert roles.starts == 3


ENDS_ONCE = """
import os, signal, time
if times == 1:
    print("ready", flush=True)
    while not marks.with_name("seen").exists():
        time.sleep(0.01)
    sys.exit(1)
os.kill(os.getppid(), signal.SIGTERM)
"""


@pytest.mark.parametrize(("steady", "pause"), [(-1.0, "in 0.0 s"), (1000.0, "in 0.5 s")])
def test_a_role_that_served_for_a_while_is_started_again_at_once(
    roles: Roles,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    steady: float,
    pause: str,
) -> None:
    monkeypatch.setattr("app.supervisor.STEADY_SECONDS", steady)
    roles.make(ENDS_ONCE).run((roles.folder / "seen").touch)
    assert roles.starts == 2
    assert pause in caplog.text


def test_roles_that_nobody_waits_for_come_after_those_that_listen(roles: Roles) -> None:
    programs = [Program("door", "a_role"), Program("later", "a_role", listens=False)]
    supervisor = Supervisor(programs, roles.environment)
    roles.make("times = 1")  # writes the module
    door, later = supervisor._children.values()
    supervisor._start(door)
    try:
        assert supervisor._holds_back(later)
        assert not supervisor._holds_back(door)
        while not door.ready:
            supervisor._wait(1.0)
        assert not supervisor._holds_back(later)
    finally:
        supervisor._stop_all()


def test_a_role_that_cannot_start_ends_everything(roles: Roles) -> None:
    with pytest.raises(CannotStart):
        roles.make("sys.exit(3)").run(lambda: None)
    assert roles.starts == 1


def test_a_role_that_is_never_ready_ends_everything(
    roles: Roles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.supervisor.START_SECONDS", 0.2)
    with pytest.raises(CannotStart, match="not ready"):
        roles.make("sys.exit(1)").run(lambda: None)
