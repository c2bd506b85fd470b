"""Short runs of the reliability harnesses; the long ones are in docs/reliability.md."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bench.reliability import faults, kill, power
from bench.reliability.disk import Disk, File, Folder, Write
from bench.reliability.ledger import judge, octets_of
from bench.reliability.wal import FRAME_HEADER, HEADER, Log, pages_of
from tests.parts.seaweedfs import SeaweedFS

pytestmark = pytest.mark.timeout(400)


def quiet(_: str) -> None:
    """Nobody looks at the progress."""


def test_after_kills_under_load_each_acknowledged_mail_is_there_once() -> None:
    report = kill.run(kill.Plan(lives=1), quiet)
    assert not report.wrong, report.wrong
    assert report.acknowledged
    assert set(kill.VICTIMS) - {"child"} <= set(report.kills)


def test_at_each_250_the_mail_is_safe_and_a_power_cut_leaves_it(strace: str) -> None:
    assert strace
    report = power.run(power.Plan(mails=40, cuts=12), quiet)
    assert not report.wrong, report.wrong
    assert report.checked == report.acknowledged == 40
    assert report.cuts == 12
    assert report.opened


@pytest.mark.usefixtures("gcc", "faketime")
def test_whatever_call_fails_nothing_acknowledged_is_lost_and_all_goes_on() -> None:
    operations = ("ingest", "relay", "sweep", "export")
    report = faults.run(faults.Plan(points=2, operations=operations), quiet)
    assert not report.wrong, report.wrong
    assert set(report.points) == set(operations)
    assert report.points.total() > 40
    assert report.replies[451]
    assert report.replies[452]


@pytest.mark.usefixtures("gcc", "faketime")
def test_sweep_and_export_hold_whatever_fails_on_postgresql_and_a_bucket(
    postgresql_url: str, seaweedfs: SeaweedFS, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = seaweedfs.config()
    monkeypatch.setenv("AWS_ENDPOINT_URL", place.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", place.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", place.secret_key)
    plan = faults.Plan(
        points=1,
        operations=("sweep", "export"),
        faults=("ENOSPC", "connection lost"),
        database_url=postgresql_url,
        objects_url=f"s3://{place.bucket}/{place.prefix}",
    )
    report = faults.run(plan, quiet)
    assert not report.wrong, report.wrong
    assert report.points == {"sweep": 2, "export": 6}


def test_the_judge_sees_what_is_lost_doubled_half_or_foreign() -> None:
    whole, twice, torn = octets_of("a"), octets_of("b"), octets_of("c")[:-1]
    verdict = judge(
        [whole, twice, twice, torn, octets_of("x")], ["a", "b", "c", "d"], ["a", "b", "c", "d"]
    )
    assert (verdict.lost, verdict.doubled) == (["d"], ["b"])
    assert (verdict.half, verdict.foreign) == (["c"], ["x"])
    assert judge([whole], ["a"], ["a", "in doubt"]).kept


def test_a_cut_leaves_what_was_synced_and_any_part_of_the_rest(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").write_bytes(b"old" * 1000)
    disk = Disk(root)
    file = disk.find(str(root / "file"))
    assert isinstance(file, File)
    first, second = Write(3000, b"A" * 1000, ended=True), Write(0, b"B" * 2000, ended=True)
    file.begin(first)
    covered = file.covered()
    file.begin(second)
    file.synced(covered)
    left = set()
    for seed in range(40):
        disk.cut(tmp_path / f"cut{seed}", random.Random(seed))
        octets = (tmp_path / f"cut{seed}" / "file").read_bytes()
        assert octets[3000:] == b"A" * 1000
        assert octets[2000:3000] == (b"old" * 1000)[2000:]
        sectors = [octets[at : min(2000, at + 512)] for at in range(0, 2000, 512)]
        for at, sector in enumerate(sectors):
            old = (b"old" * 1000)[at * 512 : at * 512 + len(sector)]
            assert sector in (b"B" * len(sector), old)
        left.add(octets)
    assert len(left) > 3


def test_a_name_is_not_safe_before_its_folder_is_synced(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "day").mkdir(parents=True)
    disk = Disk(root)
    where = disk.parent(str(root / "day" / "new.seg"))
    assert where is not None
    folder, name = where
    folder.change({name: Folder()})
    assert not disk.is_named(str(root / "day" / "new.seg"))
    folder.synced(list(folder.pending))
    assert disk.is_named(str(root / "day" / "new.seg"))


def test_a_database_is_as_a_transaction_left_it_and_none_that_was_safe_is_lost(
    tmp_path: Path,
) -> None:
    path, cut = tmp_path / "a.db", tmp_path / "cut.db"
    cut_log = cut.with_name("cut.db-wal")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE t (a)")
        connection.execute("CREATE TABLE last AS SELECT 'stays' AS a")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before, ends = path.read_bytes(), []
        log = Log(pages_of(path), [])
        for octets in (b"one" * 3000, b"two" * 3000, b"three" * 3000):
            connection.execute("INSERT INTO t VALUES (?)", (octets,))
            ends.append(path.with_name("a.db-wal").stat().st_size)
        whole = path.with_name("a.db-wal").read_bytes()
    commits = [write for write in _writes_of(whole) if log.wrote(write)]
    assert len(commits) == 3
    commits[0].synced = commits[1].synced = True

    def judged(database: bytes, octets: bytes) -> str:
        cut.write_bytes(database)
        cut_log.write_bytes(octets)
        return log.judge(pages_of(cut))

    assert not judged(before, whole)
    assert not judged(before, whole[: ends[1]])
    assert not judged(before, whole[: ends[2] - 1])
    assert judged(before, whole[: ends[1] - 1]) == "1 transactions that were safe are lost"
    damaged = before[:-1] + bytes([before[-1] ^ 1])
    assert "no transaction" in judged(damaged, whole)


def _writes_of(log: bytes) -> Iterator[Write]:
    """As SQLite writes it: the header, then of each frame its header and its page."""
    size = int.from_bytes(log[8:12])
    yield Write(0, log[:HEADER], ended=True)
    for at in range(HEADER, len(log), FRAME_HEADER + size):
        page = at + FRAME_HEADER
        yield Write(at, log[at:page], ended=True)
        yield Write(page, log[page : page + size], ended=True)
