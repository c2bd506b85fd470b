"""Brings the scripts of others in `static/vendor` up to date, from their npm packages.

    python -m tools.vendor                      fetch what the manifest names, and check it
    python -m tools.vendor squire-rte 2.4.9     take another version of one package

`static/vendor/manifest.json` has for each package its version, licence, the integrity that npm
told (SHA-512 of the archive), and for each copied file its place in the archive and its SHA-256.
The files are committed, so neither an installation nor a test fetches anything. Needs npm.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "static" / "vendor"
MANIFEST = FOLDER / "manifest.json"

Package = dict[str, Any]


def fetch(package: Package, folder: Path) -> Path:
    """The archive of a package; its integrity is noted when the manifest has none yet."""
    wanted = f"{package['name']}@{package['version']}"
    command = ["npm", "pack", wanted, "--json", "--silent"]
    packed = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    [told] = json.loads(packed.stdout)
    archive = folder / Path(told["filename"]).name
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if package.setdefault("integrity", told["integrity"]) != f"sha512-{digest}":
        raise SystemExit(f"{wanted} is not what the manifest has: sha512-{digest}")
    return archive


def copy(package: Package, archive: Path) -> None:
    """Copy the files of a package and note their digests."""
    with tarfile.open(archive) as packed:
        for file in package["files"]:
            member = packed.extractfile(f"package/{file['from']}")
            if member is None:
                raise SystemExit(f"{package['name']} has no {file['from']}")
            octets = member.read()
            file["sha256"] = hashlib.sha256(octets).hexdigest()
            (FOLDER / file["to"]).write_bytes(octets)


def main(arguments: list[str]) -> None:
    manifest = json.loads(MANIFEST.read_text())
    if arguments:
        name, version = arguments
        [package] = [one for one in manifest if one["name"] == name]
        package["version"] = version
        package.pop("integrity", None)
    with tempfile.TemporaryDirectory() as folder:
        for package in manifest:
            copy(package, fetch(package, Path(folder)))
            print(package["name"], package["version"], package["integrity"])
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
