"""Programs that tests call as a person would: mail clients, and tools that bend time or watch.

Each fixture is the program's path.
"""

import pytest

from tests.parts.needs import program


@pytest.fixture(scope="session")
def swaks() -> str:
    """The Swiss Army Knife for SMTP."""
    return program("swaks", "swaks")


@pytest.fixture(scope="session")
def curl() -> str:
    """It speaks SMTP and HTTP."""
    return program("curl", "curl")


@pytest.fixture(scope="session")
def faketime() -> str:
    """It runs a program under another clock: `faketime '+7 days' PROGRAM`."""
    return program("faketime", "faketime")


@pytest.fixture(scope="session")
def gcc() -> str:
    """A compiler; the C library's headers need not be there."""
    return program("gcc", "gcc")


@pytest.fixture(scope="session")
def strace() -> str:
    """It shows a program's system calls."""
    return program("strace", "strace")
