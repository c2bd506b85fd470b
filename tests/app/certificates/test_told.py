"""What people are told of the certificate: `check`, `certificate show`, the alarm, the metric."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from app.audit import alarms
from app.certificates.kept import Kept, State, days_left
from app.certificates.stand_in import listeners_certificate
from app.checkup import Finding, Verdict, _certificate
from app.cli import certificate
from app.cli.demo import DemoOptions, _programs
from app.cli.output import Failed
from app.config import Config
from app.roles.certificate import AuditTrail
from archive_store.clock import utc_now
from archive_store.db import Database
from tests.parts.tables import make_tables

NAMES = ("mail.acme.example",)
REFUSED = State(attempts=3, failures=2, trouble="challenge", text="port 80 is closed", at=utc_now())


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("LIVEARCHIVE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LIVEARCHIVE_ACME_NAMES", NAMES[0])
    monkeypatch.setenv("LIVEARCHIVE_ACME_AGREE_TERMS", "yes")
    made = Config.load({"LIVEARCHIVE_DATA_DIR": str(tmp_path)})
    return replace(made, acme_names=NAMES, acme_agree_terms=True)


@pytest.fixture
def kept(config: Config) -> Kept:
    """With a stand-in."""
    assert listeners_certificate(config) is not None
    assert config.acme is not None
    return Kept(config.acme.folder)


def put(kept: Kept, ends: datetime) -> None:
    """A certificate as an authority would have issued it."""
    begins = min(utc_now(), ends) - timedelta(days=60)
    issued = trustme.CA().issue_cert(NAMES[0], not_before=begins, not_after=ends)
    kept.current.write_bytes(issued.private_key_and_cert_chain_pem.bytes())


def found(config: Config) -> tuple[Verdict, str]:
    finding: Finding
    [finding] = _certificate(config)
    return finding.verdict, finding.text


def test_check_tells_a_stand_in_from_a_certificate_and_what_stands_in_the_way(
    config: Config, kept: Kept
) -> None:
    verdict, text = found(config)
    assert (verdict, "start the service" in text) == (Verdict.FAILED, True)
    kept.remember(REFUSED)
    assert found(config)[1].endswith("the last attempt failed: port 80 is closed")
    put(kept, utc_now() + timedelta(days=30))
    assert found(config)[0] is Verdict.WARNING
    kept.remember(State(attempts=4))
    assert found(config)[0] is Verdict.OK
    put(kept, utc_now() + timedelta(days=5))
    assert found(config)[0] is Verdict.WARNING
    put(kept, utc_now() - timedelta(days=1))
    assert found(config)[0] is Verdict.FAILED


def test_days_left_are_none_for_a_stand_in_and_missing_without_tls(
    config: Config, kept: Kept
) -> None:
    assert days_left(None) is None
    assert days_left(config.certificate) == 0
    put(kept, utc_now() + timedelta(days=30, minutes=1))
    assert int(days_left(config.certificate) or 0) == 30


def test_show_says_why_the_last_attempt_failed(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    put(kept, datetime(2100, 1, 1, tzinfo=UTC))
    kept.remember(replace(REFUSED, next_at=datetime(2100, 1, 2, tzinfo=UTC)))
    certificate.show(json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["names"] == list(NAMES)
    assert told["valid_until"].startswith("2100-01-01")
    assert told["next_attempt"] == "2100-01-02T00:00:00+00:00"
    assert (told["failures"], told["trouble"]) == (2, "challenge")
    certificate.show()
    assert "reason: port 80 is closed\n" in capsys.readouterr().out


def test_renew_needs_a_running_role_and_leaves_no_wish_without(kept: Kept) -> None:
    with pytest.raises(Failed, match="start the service"):
        certificate.renew()
    assert not kept.take_wish()


def test_the_alarm_stands_until_a_certificate_comes(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'trail.db'}")
    make_tables(db)
    trail = AuditTrail(db)
    trail.failed(NAMES, "challenge")
    trail.failed(NAMES, "challenge")
    with db.read() as tx:
        [sentence] = alarms.standing(tx, utc_now())
    assert "`livearchive certificate show`" in sentence
    trail.issued(NAMES, utc_now())
    with db.read() as tx:
        assert alarms.standing(tx, utc_now()) == ()
    db.close()


def test_a_demo_asks_no_authority(config: Config, tmp_path: Path) -> None:
    options = DemoOptions(primary="127.0.0.1:1", outside="127.0.0.1:2", traffic=False)
    assert "certificate" not in {one.name for one in _programs(options, tmp_path, config)}
