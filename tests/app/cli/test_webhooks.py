"""`livearchive webhook`: what it prints is for programs too."""

import json
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner

from app.cli.main import app


def test_times_of_a_webhook_are_rfc_3339_and_its_path_is_not_shown(tmp_path: Path) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(app, [*words, "--data", str(tmp_path / "data")])
        assert done.exit_code == 0, done.output
        return done.stdout

    run("init")
    run("domain", "add", "acme.example", "--relay", "mail.acme.example:25")
    run("webhook", "set", "acme.example", "https://hooks.example.com/a-token")
    run("webhook", "test", "acme.example")
    shown = json.loads(run("webhook", "show", "acme.example", "--json"))
    assert set(shown) == {"host", "set", "last", "attempts", "done", "error"}
    assert shown["host"] == "hooks.example.com"
    for time in (shown["set"], shown["last"]):
        assert time.endswith("Z")
        assert datetime.fromisoformat(time).tzinfo == UTC
