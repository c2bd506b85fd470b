"""A role's process: how it ends, and what it says then."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from app.roles.process import run_role
from archive_store import errors

def main(role):
    try:
        raise ValueError("canary@acme.example")
    except ValueError as error:
        raise errors.{error}("the reason") from error

sys.exit(run_role("index", main))
"""


@pytest.mark.parametrize(
    ("error", "status"), [("ConfigError", 3), ("KeyringError", 3), ("StoreBusy", 1)]
)
def test_a_failing_role_says_one_line_and_quotes_nothing(
    tmp_path: Path, error: str, status: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(error=error)],
        env={**os.environ, "LIVEARCHIVE_DATA_DIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, "livearchive index: the reason\n")


STARTED = """
import gc
import sys

sys.argv[0] = "-m"
import app.roles

collects = [gc.isenabled()]
from app.roles.process import run_role

run_role("index", lambda role: collects.append(gc.isenabled()))
print(collects)
"""


def test_a_role_collects_garbage_once_all_is_imported(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTED],
        env={**os.environ, "LIVEARCHIVE_DATA_DIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[False, True]\n", "")
