"""The table of OWASP ASVS 5.0 in the manual answers all of levels 1 and 2, and names real tests."""

import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "asvs.md"

# The level of each requirement of a section, in order (ASVS 5.0.0, 345 requirements).
LEVELS = {
    "1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123",
    "2.1": "122", "2.2": "112", "2.3": "12223", "2.4": "23",
    "3.1": "3", "3.2": "113", "3.3": "12223", "3.4": "11222233", "3.5": "11122333", "3.6": "3",
    "3.7": "22333",
    "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222",
    "5.1": "2", "5.2": "112333", "5.3": "113", "5.4": "222",
    "6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333",
    "6.6": "2223", "6.7": "33", "6.8": "2222",
    "7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22",
    "8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23",
    "9.1": "111", "9.2": "1222",
    "10.1": "22", "10.2": "223", "10.3": "22223", "10.4": "1111122222233333", "10.5": "22222",
    "10.6": "22", "10.7": "222",
    "11.1": "2233", "11.2": "22233", "11.3": "11233", "11.4": "1222", "11.5": "23", "11.6": "23",
    "11.7": "33",
    "12.1": "12233", "12.2": "11", "12.3": "22223",
    "13.1": "2333", "13.2": "222223", "13.3": "2233", "13.4": "1222233",
    "14.1": "22", "14.2": "12223333", "14.3": "122",
    "15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333",
    "16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223",
    "17.1": "23", "17.2": "22223333", "17.3": "22",
}  # fmt: skip
STATES = {"yes", "partly", "no", "n/a"}
ROW = re.compile(r"\| (\d+\.\d+\.\d+)(?:–(\d+\.\d+\.\d+))? \| (\d) \| ([^|]+) \|([^|]*)\|([^|]*)\|")
SHOWN = re.compile(r"`(test_\w+)`: \*([^*]+)\*")


def rows() -> list[tuple[list[str], str, str, str, str]]:
    """Per row: the requirements it stands for, their level, its state, how, and what shows it."""
    found = []
    for line in PAGE.read_text().splitlines():
        if re.match(r"\| \d", line):
            match = ROW.fullmatch(line)
            assert match, line
            first, last, level, state, how, shown = match.groups()
            section, _, low = first.rpartition(".")
            high = (last or first).rpartition(".")[2]
            ids = [f"{section}.{number}" for number in range(int(low), int(high) + 1)]
            found.append((ids, level, state, how.strip(), shown))
    return found


def level_of(requirement: str) -> str:
    section, _, number = requirement.rpartition(".")
    return LEVELS[section][int(number) - 1]


@cache
def promises() -> frozenset[tuple[str, str]]:
    """Every test of the project, as (file, promise in words)."""
    return frozenset(
        (path.stem, name.replace("_", " "))
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def test_(\w+)", path.read_text(), re.MULTILINE)
    )


def test_every_requirement_of_the_first_two_levels_is_answered_once_at_its_level() -> None:
    answered = [one for ids, *_ in rows() for one in ids]
    assert len(answered) == len(set(answered))
    asked = {
        f"{section}.{number}"
        for section, levels in LEVELS.items()
        for number, level in enumerate(levels, 1)
        if level in "12"
    }
    assert not asked - set(answered)
    wrong = [one for ids, level, *_ in rows() for one in ids if level_of(one) != level]
    assert not wrong


def test_what_is_not_met_says_why_and_what_is_met_says_how() -> None:
    for ids, _, state, how, shown in rows():
        assert state in STATES, ids
        assert how or shown.strip() or state == "n/a", ids


@pytest.mark.parametrize(("name", "promise"), sorted(set(SHOWN.findall(PAGE.read_text()))))
def test_each_test_that_is_named_is_there(name: str, promise: str) -> None:
    assert (name, promise) in promises()
