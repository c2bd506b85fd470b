"""Files of others are what their manifest says, and their licences are beside them."""

import hashlib
import json
from pathlib import Path

import pytest

from tools.vendor import FOLDERS, ROOT

OURS = {".py", ".json"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_file_is_as_it_was_taken_and_no_other_lies_there(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    files = {file["to"]: file["sha256"] for package in manifest for file in package["files"]}
    lying = {path.name: path for path in folder.iterdir() if path.is_file()}
    assert files == {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in lying.items()
        if path.suffix not in OURS
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_package_has_its_version_licence_and_a_line_in_the_notice(folder: Path) -> None:
    notice = (ROOT / "NOTICE").read_text()
    for package in json.loads((folder / "manifest.json").read_text()):
        assert package["integrity"].startswith("sha512-")
        assert any("LICENSE" in file["from"] for file in package["files"])
        line = f"{package['name']} {package['version']}"
        assert line in notice
        assert package["licence"] in notice.partition(line)[2][:200]
