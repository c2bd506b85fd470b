"""The files for installing LiveArchive: systemd itself accepts the units, and their words exist."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.config import CONFIG_NAME, FILE_SUFFIX, SETTINGS
from app.supervisor import ROLES
from tests.parts.needs import program

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
UNITS = ["livearchive.service", *(f"livearchive@{role}.service" for role in ROLES)]
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units, with a program that this machine has in the place of ours."""
    folder = tmp_path_factory.mktemp("units") / "systemd"
    shutil.copytree(DEPLOY / "systemd", folder)
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text()
            path.write_text(text.replace("/opt/livearchive/bin/livearchive", sys.executable))
    return folder


def systemd_analyze(units: Path, *words: str) -> str:
    done = subprocess.run(
        [program("systemd-analyze", "systemd"), *words],
        cwd=units,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_systemd_finds_nothing_wrong_with_the_units(units: Path) -> None:
    paths = [f"./{name}" for name in (*UNITS, "livearchive.target")]
    assert systemd_analyze(units, "verify", *paths) == ""


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_is_hardened(units: Path, unit: str) -> None:
    # systemd's own scale: 0.0 exposes nothing, 10.0 everything; below 2.0 is a locked door.
    systemd_analyze(units, "security", "--offline=true", "--threshold=19", f"./{unit}")


def test_only_the_keys_role_sees_the_keyring() -> None:
    template = (DEPLOY / "systemd" / "livearchive@.service").read_text()
    assert "InaccessiblePaths=-/var/lib/livearchive/keys/keyring.json" in template
    opened = DEPLOY.rglob("role.conf")
    assert [p.parent.name for p in opened if "InaccessiblePaths" in p.read_text()] == [
        "livearchive@keys.service.d"
    ]


def test_every_role_has_a_unit_in_the_target() -> None:
    target = (DEPLOY / "systemd" / "livearchive.target").read_text()
    assert set(re.findall(r"livearchive@(\w+)\.service", target)) == set(ROLES)
    dropped = {p.parent.name for p in DEPLOY.rglob("role.conf")}
    assert dropped <= {f"livearchive@{role}.service.d" for role in ROLES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    known = {setting.name for setting in SETTINGS} | {CONFIG_NAME}
    known |= {setting.name + FILE_SUFFIX for setting in SETTINGS if setting.secret}
    named = set(re.findall(r"\bLIVEARCHIVE_([A-Z_]+)\b", path.read_text()))
    assert named - known == set()


def test_the_image_runs_as_an_ordinary_user_from_the_locked_packages() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.search(r"^USER livearchive$", text, re.MULTILINE)
    assert "--require-hashes --only-binary=:all: -r requirements/run.txt" in text
