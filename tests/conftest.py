"""Fixtures for all tests: the real parts, each started when a test first asks for it."""

import pytest

pytest_plugins = [
    "tests.parts.needs",  # first: pytest wants to load a plugin before others import it
    "tests.parts.browser",
    "tests.parts.dovecot",
    "tests.parts.postfix",
    "tests.parts.postgresql",
    "tests.parts.programs",
    "tests.parts.seaweedfs",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole services first, as they take longest; the order of the others stays."""
    items.sort(key=lambda item: "tests/scenarios/" not in item.nodeid)
