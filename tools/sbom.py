"""What the product is made of: a bill of materials, CycloneDX 1.6, JSON.

    python -m tools.sbom            write requirements/livearchive.cdx.json anew
    python -m tools.sbom --check    exit 1 when it is not what locks and manifests say

It has every package of `requirements/run.txt` with its licence, what asked for it, and the SHA-256
of each file that may be installed for it; and each file of others that lies in this repository
(`tools.vendor`). It is committed, so that a change is seen in review, and lies in the wheel
(PEP 770). It has neither a time nor a random number: the same locks give the same octets.
"""

import json
import re
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from tools.vendor import FOLDERS, ROOT

LOCK = ROOT / "requirements" / "run.txt"
FILE = ROOT / "requirements" / "livearchive.cdx.json"
PACKAGE = re.compile(r"^([a-z0-9.-]+)==([^ \\]+)(.*?)(?=^[a-z]|\Z)", re.M | re.S)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
ASKED_BY = re.compile(r"^ +#(?: via)? +([a-z0-9.-]+)", re.M)
# Where a package's metadata have no SPDX expression, or the package is not for this system.
LICENCES = {
    "colorama": "BSD-3-Clause",
    "imapclient": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "markdown-it-py": "MIT",
    "mdurl": "MIT",
    "obstore": "MIT",
    "pyasn1-modules": "BSD-2-Clause",
    "pyopenssl": "Apache-2.0",
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",
    "segno": "BSD-3-Clause",
    "shellingham": "ISC",
    "tinycss2": "BSD-3-Clause",
    "uvloop": "MIT OR Apache-2.0",
    "webencodings": "BSD-3-Clause",
}


@dataclass(frozen=True, slots=True)
class Locked:
    """A package as the lock has it."""

    name: str
    version: str
    hashes: tuple[str, ...]  # SHA-256 of its files
    asked_by: tuple[str, ...]


def locked(text: str) -> Iterator[Locked]:
    """The packages of a lock."""
    for name, version, rest in PACKAGE.findall(text):
        yield Locked(name, version, tuple(HASH.findall(rest)), tuple(ASKED_BY.findall(rest)))


def licence_of(name: str) -> str:
    """An SPDX expression."""
    if name in LICENCES:
        return LICENCES[name]
    told = metadata.metadata(name)
    return told["License-Expression" if "License-Expression" in told else "License"]


def component(
    name: str, version: str, licence: str, purl: PackageURL, hashes: list[HashType]
) -> Component:
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        purl=purl,
        bom_ref=str(purl),
        licenses=[LicenseFactory().make_from_string(licence)],
        hashes=hashes,
    )


def python_packages(bom: Bom, product: Component) -> None:
    """Those that are installed beside the product."""
    packages = list(locked(LOCK.read_text()))
    components = {"livearchive": product}
    for one in packages:
        purl = PackageURL("pypi", None, one.name, one.version)
        hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in one.hashes]
        components[one.name] = component(one.name, one.version, licence_of(one.name), purl, hashes)
        bom.components.add(components[one.name])
    asked = {name: [one for one in packages if name in one.asked_by] for name in components}
    for name, children in asked.items():
        bom.register_dependency(components[name], [components[one.name] for one in children])


def vendored(bom: Bom, product: Component) -> None:
    """Files of others in this repository; of each package those that were copied."""
    for folder in FOLDERS:
        for package in json.loads((folder / "manifest.json").read_text()):
            name, version = package["name"], package["version"]
            purl = PackageURL(package["registry"], None, name, version)
            whole = component(name, version, package["licence"], purl, [])
            for file in package["files"]:
                place = (folder / file["to"]).relative_to(ROOT).as_posix()
                digest = HashType(alg=HashAlgorithm.SHA_256, content=file["sha256"])
                whole.components.add(
                    Component(type=ComponentType.FILE, name=place, bom_ref=place, hashes=[digest])
                )
            bom.components.add(whole)
            bom.register_dependency(product, [whole])


def made() -> str:
    """The bill, as it stands in its file."""
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None
    product = Component(
        type=ComponentType.APPLICATION,
        name="livearchive",
        version=version[1],
        bom_ref="livearchive",
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
    )
    bom = Bom()
    bom.metadata.component = product
    python_packages(bom, product)
    vendored(bom, product)
    told: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    del told["metadata"]["timestamp"], told["serialNumber"]
    what = json.dumps(told, sort_keys=True)
    told["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_OID, what).urn
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        return 0 if FILE.read_text() == made() else 1
    FILE.write_text(made())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
