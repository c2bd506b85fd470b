"""Settings of the door that make no sense are refused by name."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from archive_store.errors import ConfigError
from tests.smtp_ingest.doubles import CONFIG


@pytest.mark.parametrize(
    "changes",
    [
        {"hostname": ""},
        {"hostname": "mx acme"},
        {"hostname": "mx\r\n"},
        {"hostname": "-mx"},
        {"max_size": 0},
        {"max_octets_in_flight": 1},
        {"max_recipients": 0},
        {"max_received_lines": 0},
        {"max_sessions": 0},
        {"max_sessions_per_peer": 0},
        {"max_errors": 0},
        {"data_min_rate": 0},
        {"command_timeout": timedelta(0)},
        {"data_timeout": timedelta(0)},
        {"stop_grace": timedelta(seconds=-1)},
    ],
)
def test_a_senseless_value_is_refused_by_name(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(changes))):
        replace(CONFIG, **changes)


@pytest.mark.parametrize("hostname", ["localhost", "mx1.acme.example", "1.example", "m"])
def test_a_host_name_is_taken(hostname: str) -> None:
    assert replace(CONFIG, hostname=hostname).hostname == hostname
