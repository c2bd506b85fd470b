"""What the HTTP Observatory says of our log-in page over TLS.

`python -m bench.observatory NODE_MODULES`, with `@mdn/mdn-http-observatory` in that folder (`npm
install --ignore-scripts --prefix DIR @mdn/mdn-http-observatory` makes `DIR/node_modules`). The
scanner knows the ports 80 and 443 alone, so it takes root. It loads a list of preloaded hosts when
it is installed with its scripts; without them it gets an empty one, which can only cost points.

Prints the scanner's grade, score and tests as JSON; exit status 1 below A+.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import trustme

from tests.parts.network import free_port

SCAN = """\
import {{ scan }} from {scanner};
const {{ scan: total, tests }} = await scan("localhost");
const results = Object.entries(tests).map(([name, test]) => [name, test.result]);
console.log(JSON.stringify({{grade: total.grade, score: total.score, failed: total.testsFailed,
  tests: Object.fromEntries(results)}}));
"""


def settings(folder: Path) -> dict[str, str]:
    """A service with a certificate of an authority of its own, in `folder`."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    (folder / "chain.pem").write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    (folder / "key.pem").write_bytes(issued.private_key_pem.bytes())
    ours = {
        "DATA_DIR": str(folder / "data"),
        "HTTP": "none",
        "HTTPS": "127.0.0.1:443",
        "PUBLIC_URL": "https://localhost",
        "SMTP": f"127.0.0.1:{free_port()}",
        "LMTP": "none",
        "TLS_CERTIFICATE": str(folder / "chain.pem"),
        "TLS_KEY": str(folder / "key.pem"),
    }
    return os.environ | {f"LIVEARCHIVE_{name}": value for name, value in ours.items()}


def observed(modules: Path, folder: Path) -> dict[str, Any]:
    """The scanner's verdict on a running service."""
    package = modules.resolve() / "@mdn" / "mdn-http-observatory"
    preloaded = package / "conf" / "hsts-preload.json"
    if not preloaded.exists():
        preloaded.write_text("{}")
    script = folder / "scan.mjs"
    script.write_text(SCAN.format(scanner=json.dumps(str(package / "src/scanner/index.js"))))
    trusting = os.environ | {"NODE_EXTRA_CA_CERTS": str(folder / "authority.pem")}
    done = subprocess.run(["node", script], env=trusting, check=True, stdout=subprocess.PIPE)
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict


def main(modules: Path) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = settings(folder)
        command = [sys.executable, "-m", "app.cli"]
        subprocess.run([*command, "init"], env=environment, check=True, stdout=subprocess.DEVNULL)
        with subprocess.Popen(
            [*command, "serve"], env=environment, stdout=subprocess.PIPE, text=True
        ) as service:
            assert service.stdout is not None
            ready = any("READY" in line for line in service.stdout)
            try:
                verdict = observed(modules, folder) if ready else {"grade": "not started"}
            finally:
                service.terminate()
    print(json.dumps(verdict, indent=1))
    return 0 if verdict["grade"] == "A+" else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
