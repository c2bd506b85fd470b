"""The wheel is complete: with the locked packages alone it runs the demo in an empty venv.

Nothing is fetched. It is built with the build tools of `.venv`, and the packages that the product
runs with are copied from there: those of requirements/run.txt and no others.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from tests.parts.network import free_port, wait_until

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("app", "archive_store", "smtp_ingest")
BUNDLED = ("migrations", "static", "templates")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run([sys.executable, *build], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def files_in(folder: str) -> set[str]:
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return {p.relative_to(ROOT).as_posix() for p in found if "__pycache__" not in p.parts}


def test_the_wheel_carries_the_code_the_pages_and_the_migrations(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert all(files_in(folder) for folder in (*PACKAGES, *BUNDLED))
    expected = {name for package in PACKAGES for name in files_in(package)}
    expected |= {f"app/_bundle/{name}" for folder in BUNDLED for name in files_in(folder)}
    papers = {name for name in names if ".dist-info/" in name}
    assert names - papers == expected
    assert {Path(name).name for name in papers} >= {"LICENSE", "NOTICE", "entry_points.txt"}
    [bill] = [name for name in papers if ".dist-info/sboms/" in name]
    bill_of_today = (ROOT / "requirements" / "livearchive.cdx.json").read_bytes()
    assert zipfile.ZipFile(wheel).read(bill) == bill_of_today


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a venv that holds the wheel and the locked packages, and nothing else."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    site = next(venv.glob("lib/python*/site-packages"))
    for name in re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/run.txt").read_text(), re.M):
        copy_package(name, site)
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps"]
    subprocess.run([*uv, "--python", venv / "bin" / "python", wheel], check=True)
    return venv / "bin"


def copy_package(name: str, site: Path) -> None:
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return  # for another system or another Python only
    for file in distribution.files or ():
        if ".." not in file.parts:  # its scripts, which name the venv that they are in
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(str(file.locate()), site / file)


def test_the_wheel_runs_the_demo_where_nothing_else_is(installed: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    web = f"127.0.0.1:{free_port()}"
    command: list[str | Path] = [
        installed / "livearchive",
        "demo",
        "--no-traffic",
        "--data",
        tmp_path / "data",
    ]
    for option in ("--smtp", "--lmtp", "--primary", "--outside"):
        command += [option, f"127.0.0.1:{free_port()}"]
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    with (
        output.open("wb") as out,
        subprocess.Popen(
            [*command, "--http", web], cwd=tmp_path, env=environment, stdout=out, stderr=out
        ) as demo,
    ):
        try:
            ready = f"READY http://{web}"
            wait_until(lambda: demo.poll() is not None or ready in output.read_text(), "READY")
            assert ready in output.read_text().splitlines(), output.read_text()
            with urllib.request.urlopen(f"http://{web}/login", timeout=30) as page:
                assert b'name="username"' in page.read()
        finally:
            demo.send_signal(signal.SIGTERM)
    assert demo.returncode == 0, output.read_text()
