"""Fixtures for all tests: the real parts, each started when a test first asks for it."""

pytest_plugins = [
    "tests.parts.needs",  # first: pytest wants to load a plugin before others import it
    "tests.parts.browser",
    "tests.parts.dovecot",
    "tests.parts.pebble",
    "tests.parts.postfix",
    "tests.parts.clamav",
    "tests.parts.postgresql",
    "tests.parts.programs",
    "tests.parts.seaweedfs",
]
