"""What a test needs from the system; and the list, at the very end, of tests that went without.

`program` and `need` are for fixtures of real parts. Where the part is missing the test is skipped
with the reason below, or fails when CI=true: there everything must run.
"""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

SYSTEM_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
REASON = "needs the package"

_went_without: list[tuple[str, str]] = []


def lack(package: str) -> NoReturn:
    """End the running test: this machine lacks what `package` would bring."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"{REASON} {package}, and nothing may be skipped under CI", pytrace=False)
    pytest.skip(f"{REASON} {package}")


def program(name: str, package: str) -> str:
    """The path of a program, or the end of the test that wants it."""
    return shutil.which(name, path=SYSTEM_PATH) or lack(package)


def need_file(path: str, package: str) -> None:
    """End the running test unless the file is there that shows a package to be installed."""
    if not Path(path).exists():
        lack(package)


def need_root(package: str) -> None:
    """End the running test unless its server can be started: some only start as root."""
    if os.geteuid() != 0:
        lack(f"{package} (which only root can start)")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember who was skipped for want of a part; with xdist this runs in the controller too."""
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason.startswith(REASON):
            _went_without.append((report.nodeid, reason.removeprefix(REASON).strip()))


def pytest_unconfigure(config: pytest.Config) -> None:
    """After pytest's closing line, so that these are the last lines of all."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not _went_without:
        return
    reporter.write_line("")
    reporter.write_line("Not run here, and the package each one wants:")
    for nodeid, package in _went_without:
        reporter.write_line(f"  {nodeid}: {package}")
