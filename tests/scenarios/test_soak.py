"""The soak in short: real Postfix before and behind, Dovecot at the end, the primary down once."""

from collections import Counter
from pathlib import Path

from bench.soak import Plan, Report, run
from tests.parts.needs import need_file, need_root, program


def test_what_was_sent_is_in_the_archive_and_at_the_primary_once(tmp_path: Path) -> None:
    program("postfix", "postfix")
    need_root("postfix")
    need_file("/usr/lib/dovecot/lmtp", "dovecot-lmtpd")
    plan = Plan(mails=20, outages=1, people=2, senders=2, patience=120)
    report = run(plan, tmp_path, lambda _: None)
    assert report.wrong == []
    assert sum(report.archive.values()) == plan.mails


def test_a_lost_an_altered_and_a_doubled_mail_are_found() -> None:
    everything = Counter(range(10))
    assert Report(10, 0, everything, everything).wrong == []
    assert "1 lost for the archive, the first is 3" in str(
        Report(10, 0, everything - Counter([3]), everything).wrong
    )
    doubled = everything + Counter([4])
    assert Report(10, 0, doubled, everything).wrong == ["1 more than once in the archive"]
    assert Report(10, 1, everything, doubled).wrong == []
    assert Report(10, 0, everything, doubled).wrong == ["1 more than once in the primary"]
    assert Report(10, 0, everything, everything, ["mail 1 is not what was sent"]).wrong
