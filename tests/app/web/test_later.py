"""When something is to be sent, as the form says it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from starlette.datastructures import FormData

from app.views import BadDraft
from app.web.dates import Clock
from app.web.later import leaves_at

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def chosen(at: str, zone: str) -> datetime | None:
    return leaves_at(FormData({"when": "chosen", "at": at}), Clock(NOW, ZoneInfo(zone)))


def test_a_chosen_time_is_the_readers() -> None:
    there = chosen("2026-11-25T08:00", "Europe/Vienna")
    assert there == datetime(2026, 11, 25, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone"),
    [
        ("", "UTC"),
        ("tomorrow", "UTC"),
        ("0001-01-01T00:00", "Europe/Vienna"),
        ("9999-12-31T23:59", "America/New_York"),
    ],
)
def test_what_is_no_time_is_refused_beside_its_field(at: str, zone: str) -> None:
    with pytest.raises(BadDraft) as refused:
        chosen(at, zone)
    assert refused.value.field == "when"
