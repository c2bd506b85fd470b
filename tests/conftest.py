"""Fixtures for all tests: the real parts, each started when a test first asks for it."""

import os
import sys

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

# Where the environment keeps Python from writing bytecode, each of the hundreds of processes that
# these tests start would compile all modules anew: two thirds of its start.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
