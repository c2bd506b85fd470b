"""The manual is true: every command, option, setting, route and metric of the product is in it."""

import re
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from app.accounts.domains import CHANGES
from app.cli.main import app
from app.config_table import settings_table
from app.migrate import upgrade
from app.portal import Watch, WatchParts
from app.scanning.clamd import ScannerAway
from app.web import create_app
from app.web.access import matrix
from archive_store.db import Database
from tests.app.web.double import World

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAPERS = [*sorted(DOCS.rglob("*.md")), *sorted(DOCS.parent.glob("*.md"))]
# A command in a block or span of code, wherever it was installed.
CALL = r"^ *(?:sudo -u livearchive )?(?:\S*/)?livearchive ((?:[a-z][a-z-]+ ?)+)"
# What stands for all commands at the top of the page.
COMMON = {"--help", "--json", "--data"}


@cache
def page(name: str) -> str:
    return (DOCS / name).read_text()


def walk(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(words), command
        return
    for name, one in below.items():
        yield from walk(one, (*words, name))


COMMANDS = dict(walk(typer.main.get_command(app)))


@cache
def sections() -> dict[str, str]:
    """The text below each heading that names a command."""
    parts = re.split(r"^#+ `livearchive ([a-z -]+)`\n", page("commands.md"), flags=re.MULTILINE)
    return {
        name: text.split("\n## ")[0] for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def options_of(command: Any) -> set[str]:
    return {
        name
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    }


def test_every_command_has_its_section_and_no_other_is_told_of() -> None:
    assert set(sections()) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_told_and_no_other(name: str) -> None:
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", sections()[name]))
    have = options_of(COMMANDS[name])
    assert have - told == set(), "not told of"
    # A command may be told of beside another: its options there are its own.
    others = set().union(*(options_of(one) for one in COMMANDS.values()))
    assert told - have <= (others & {"--role", "--relay"}) | COMMON, "no such option"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_data_folder(name: str) -> None:
    assert "--data" in options_of(COMMANDS[name])


def test_each_setting_of_a_domain_is_in_the_help_and_in_the_manual() -> None:
    helped = set(re.findall(r"[a-z-]+", COMMANDS["domain set"].help))
    assert set(CHANGES) - helped == set()
    told = {name: set(re.findall("`([a-z-]+)`", text)) for name, text in sections().items()}
    assert set(CHANGES) - told["domain set"] == set()
    assert set(CHANGES) - told["domain list"] == set()


def test_every_command_in_the_papers_exists() -> None:
    first = {name.split()[0] for name in COMMANDS}
    groups = {name.split()[0] for name in COMMANDS if " " in name}
    for paper in PAPERS:
        for said in re.findall(CALL, code_of(paper), re.MULTILINE):
            words = said.split()
            one = len(words) == 1 or words[0] not in groups
            known = words[0] in first if one else " ".join(words[:2]) in COMMANDS
            assert known, f"{paper.name}: livearchive {said}"


def code_of(paper: Path) -> str:
    """Blocks of shell and spans of code: elsewhere the word is the product, its user or folder."""
    text = paper.read_text()
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    without = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`(livearchive [^`\n]+)`", without)])


def test_every_setting_is_in_the_table_as_the_code_has_it() -> None:
    assert settings_table() in page("settings.md")


def test_every_route_is_told_with_who_may_call_it() -> None:
    world = World()
    table: dict[str, tuple[set[str], set[str]]] = {}
    for line in matrix(create_app(world.services(), world.settings)):
        methods, rules = table.setdefault(line.path, (set(), set()))
        methods.add(line.method)
        rules.add(line.rule.name)
    told = {
        path: (set(methods.split(", ")), {who})
        for path, methods, who in re.findall(
            r"^\| `(/[^`]*)` \| ([A-Z, ]+) \| ([a-z ]+) \|$", page("web.md"), re.MULTILINE
        )
    }
    assert told == table


def test_every_metric_is_told_and_no_other(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    upgrade(url)
    with closing(Database(url)) as db:
        watch = Watch(WatchParts(db=db, keys=NoKeys(), disk=lambda: (1, 2), scanner=NoScanner()))
        names = {metric.name for metric in watch.metrics()}
    assert set(re.findall(r"livearchive_[a-z_]+", page("web.md"))) == names


class NoScanner:
    """A clamd that does not answer."""

    def version(self) -> str:
        raise ScannerAway


class NoKeys:
    """A keys role that has nothing to tell."""

    def status(self) -> dict[str, Any]:
        return {}


def test_every_page_of_the_manual_is_linked_from_its_first() -> None:
    linked = {
        (DOCS / target).resolve() for target in re.findall(r"\]\(([^)#:]+\.md)", page("index.md"))
    }
    pages = {path.resolve() for path in DOCS.rglob("*.md")} - {(DOCS / "index.md").resolve()}
    assert pages - linked == set()


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)
def test_links_between_the_papers_lead_somewhere(paper: Path) -> None:
    for target, _, anchor in re.findall(
        r"\]\((?!https?:)([^)#\s]*)(#([^)\s]+))?\)", paper.read_text()
    ):
        aim = (paper.parent / target).resolve() if target else paper
        assert aim.exists(), f"{paper.name} links to {target}"
        if anchor:
            assert anchor in anchors(aim), f"{paper.name} links to {target}#{anchor}"


@cache
def anchors(paper: Path) -> frozenset[str]:
    titles = re.findall(r"^#+ (.+)$", paper.read_text(), re.MULTILINE)
    return frozenset(
        re.sub(r"[^\w\- ]", "", re.sub(r"`", "", title)).strip().lower().replace(" ", "-")
        for title in titles
    )
