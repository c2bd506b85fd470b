"""A real ACME authority: Pebble, and its DNS in which every name is this machine.

Certificates are worth nothing outside a test: `root` is the only one who trusts them. What
Pebble knows is gone when it stops, accounts too.
"""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from tests.parts.needs import program
from tests.parts.network import free_port, wait_for_port
from tests.parts.process import Server, server_folder


class Pebble:
    """A running Pebble. `http_port` is where it asks when an authority would ask on port 80."""

    def __init__(self, folder: Path, eab: dict[str, str] | None = None) -> None:
        self.http_port = free_port()
        self._port, self._management, self._dns = free_port(), free_port(), free_port()
        authority = trustme.CA()
        self.authorities = folder / "directory-ca.pem"
        authority.cert_pem.write_to_path(self.authorities)
        issued = authority.issue_cert("localhost")
        issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
        issued.private_key_pem.write_to_path(folder / "key.pem")
        config = {
            "listenAddress": f"127.0.0.1:{self._port}",
            "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(folder / "cert.pem"),
            "privateKey": str(folder / "key.pem"),
            "httpPort": self.http_port,
            "tlsPort": free_port(),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": bool(eab),
            "externalAccountMACKeys": eab or {},
        }
        (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        dns = program("pebble-challtestsrv", "pebble")
        off = ["-http01", "", "-https01", "", "-tlsalpn01", ""]
        names = [
            "-defaultIPv4",
            "127.0.0.1",
            "-defaultIPv6",
            "",
            "-dns01",
            f"127.0.0.1:{self._dns}",
        ]
        self._dns_management = free_port()
        where = ["-management", f"127.0.0.1:{self._dns_management}"]
        self._dns_server = Server([dns, *off, *names, *where], folder)
        # Validations begin at once; one nonce in twenty is refused, as Pebble does by itself.
        words = ["PEBBLE_VA_NOSLEEP=1", "PEBBLE_AUTHZREUSE=0", program("pebble", "pebble")]
        command = ["/usr/bin/env", *words, "-config", str(folder / "pebble.json")]
        self._server = Server([*command, "-dnsserver", f"127.0.0.1:{self._dns}"], folder)

    @property
    def directory(self) -> str:
        """Where clients begin."""
        return f"https://localhost:{self._port}/dir"

    def start(self) -> None:
        """Start it, without memory."""
        self._dns_server.start(self._dns_management)
        wait_for_port(self._dns, "Pebble's DNS")
        self._server.start(self._port)

    def stop(self) -> None:
        """Stop it."""
        self._server.stop()
        self._dns_server.stop()

    def root(self) -> str:
        """The root of what it issues since its start (PEM)."""
        where = f"https://localhost:{self._management}/roots/0"
        return httpx.get(where, verify=ssl.create_default_context(cafile=self.authorities)).text


@pytest.fixture(scope="module")
def pebble() -> Iterator[Pebble]:
    """An authority for all tests of a module."""
    program("pebble", "pebble")
    with server_folder() as folder:
        server = Pebble(folder)
        server.start()
        yield server
        server.stop()
