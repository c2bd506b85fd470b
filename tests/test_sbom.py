"""The bill of materials says what the locks and manifests say, and a machine can read it."""

import json
import re
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools.sbom import FILE, LOCK, locked, made
from tools.vendor import FOLDERS, ROOT

PACKAGES = ("app", "archive_store", "smtp_ingest")
LOADS = re.compile(
    r"import_module|importlib\.(?!resources)|\brunpy\b|__import__|\bCDLL\(|\bcompile\((?!dialect)"
)
# Its own migrations, by their fixed name; the C library that the interpreter has loaded.
LOADERS = {"app/migrate.py", "app/roles/rinsing.py"}
SCRIPT_LOADS = re.compile(
    r"\beval\(|\bFunction\(|createElement\(.script|importScripts|Worker\(|"
    r"import\((?!\"\./[a-z]+\.js\"\))|from \"(?!\.{1,2}/[a-z./-]+\.m?js\")"
)


def components() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(FILE.read_text())["components"]
    return found


def test_the_bill_is_that_of_today() -> None:
    assert FILE.read_text() == made(), "python -m tools.sbom"


def test_the_bill_is_valid_cyclonedx() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(FILE.read_text()) is None


def test_the_bill_has_every_package_with_its_files_and_a_licence() -> None:
    locks = {f"pkg:pypi/{one.name}@{one.version}": one for one in locked(LOCK.read_text())}
    assert len(locks) == len(re.findall(r"^[^ #]+==", LOCK.read_text(), re.M))
    by_purl = {one["purl"]: one for one in components()}
    for purl, lock in locks.items():
        digests = {one["content"] for one in by_purl[purl]["hashes"]}
        assert digests == set(lock.hashes), purl
    for one in by_purl.values():
        [licence] = one["licenses"]
        assert licence.get("expression") or licence["license"].get("id"), one["name"]
    beside = {file["name"] for one in components() for file in one.get("components", ())}
    packages = [
        one for folder in FOLDERS for one in json.loads((folder / "manifest.json").read_text())
    ]
    assert len(beside) == sum(len(one["files"]) for one in packages)


def test_everything_in_the_bill_was_asked_for_by_something() -> None:
    told = json.loads(FILE.read_text())["dependencies"]
    asked = {name for one in told for name in one.get("dependsOn", ())}
    assert {one["purl"] for one in components()} <= asked


def test_no_code_loads_code_that_is_not_in_the_bill() -> None:
    python = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
    loaders = {
        path.relative_to(ROOT).as_posix()
        for path in python
        for line in path.read_text().splitlines()
        if LOADS.search(line.replace("re.compile(", ""))
    }
    assert loaders == LOADERS
    scripts = sorted((ROOT / "static" / "js").glob("*.js"))
    assert scripts
    assert [path.name for path in scripts if SCRIPT_LOADS.search(path.read_text())] == []
