"""What the code must look like: who may import whom, and habits that a reader may count on.

Imports are read from the syntax tree, so nothing is run, and one under TYPE_CHECKING counts too:
to know a name is to know it. A rule that fails lists every offender.
"""

import ast
import graphlib
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BELOW: dict[str, set[str]] = {
    "archive_store": set(),
    "smtp_ingest": {"archive_store"},
    "app": {"archive_store", "smtp_ingest"},
}

# Inside app, low to high: a module may know its own layer and those before it. A module that is
# named in no layer (settings at start, tables, the values that are passed around) lies below all.
LAYERS = (
    {"audit"},
    {"accounts", "settings"},
    {"keys"},
    {"delivery", "wayback", "scanning"},
    {"compose"},
    {"reading", "sending", "searching", "tee", "journal", "door", "upstreams", "admin"},
    {"web", "jobs"},
    {"wiring", "portal"},
    # what commands do that no page does
    {"operations", "backup", "replay", "checkup", "fsck", "retention", "holding"},
    {"roles"},
    {"supervisor"},
    {"demo", "cli"},
)
DRAWERS = {"utils", "util", "helpers", "common", "manager", "misc", "core", "data", "info"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 40

Function = ast.FunctionDef | ast.AsyncFunctionDef


def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def ours() -> list[Path]:
    """The modules of the product."""
    return files(*BELOW)


def written() -> list[Path]:
    """All Python that people of this project write and read, but for migrations."""
    return [*ours(), *files("tests", "bench"), ROOT / "dev"]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), filename=str(path))


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(tree_of(path))


def place(path: Path, node: ast.AST | int) -> str:
    line = node if isinstance(node, int) else getattr(node, "lineno", 0)
    return f"{path.relative_to(ROOT)}:{line}"


def expect_none(offenders: list[str]) -> None:
    __tracebackhide__ = True
    if offenders:
        pytest.fail("\n".join(offenders), pytrace=False)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    return {module_name(path): path for path in ours()}


def imported(path: Path) -> dict[str, int]:
    """The modules of ours that a file imports, each with its line."""
    found: dict[str, int] = {}
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(path, node)
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            # `from a.b import c`: c is a module, or a name inside a.b.
            module = name if name in modules() else name.rpartition(".")[0]
            if module in modules():
                found.setdefault(module, node.lineno)
    return found


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = list(path.relative_to(ROOT).parent.parts)
    upper = package[: len(package) - node.level + 1]
    return ".".join([*upper, node.module] if node.module else upper)


def layer(module: str) -> int:
    """The layer of a module of app; -1: below them all."""
    name = module.split(".")[1] if "." in module else ""
    return next((i for i, names in enumerate(LAYERS) if name in names), -1)


@pytest.mark.parametrize("package", BELOW)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    allowed = BELOW[package] | {package}
    offenders = [
        f"{place(path, line)} imports {module}"
        for path in files(package)
        for module, line in imported(path).items()
        if module.partition(".")[0] not in allowed
    ]
    expect_none(offenders)


def test_no_package_imports_tests_or_benchmarks() -> None:
    roots = {"tests", "bench"}
    offenders = [
        place(path, node)
        for path in ours()
        for node in nodes(path)
        if (isinstance(node, ast.Import) and {a.name.split(".")[0] for a in node.names} & roots)
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in roots)
    ]
    expect_none(offenders)


def test_inside_app_imports_go_down() -> None:
    offenders = [
        f"{place(path, line)} imports {module}"
        for path in files("app")
        for module, line in imported(path).items()
        if module.startswith("app.") and layer(module) > layer(module_name(path))
    ]
    expect_none(offenders)


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: set(imported(path)) - {name} for name, path in modules().items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_no_function_imports() -> None:
    offenders = [
        place(path, inner)
        for path in ours()
        for node in nodes(path)
        if isinstance(node, Function)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    expect_none(offenders)


def test_no_module_is_a_drawer() -> None:
    expect_none([name for name in modules() if set(name.split(".")) & DRAWERS])


def test_files_stay_short() -> None:
    lengths = [(len(path.read_text().splitlines()), path) for path in written()]
    expect_none([f"{path}: {lines} lines" for lines, path in lengths if lines > LONGEST_FILE])


def test_functions_stay_short() -> None:
    lengths = [
        ((node.end_lineno or 0) - node.lineno + 1, f"{place(path, node)} {node.name}")
        for path in [*ours(), ROOT / "dev"]
        for node in nodes(path)
        if isinstance(node, Function)
    ]
    expect_none([f"{name}: {lines} lines" for lines, name in lengths if lines > LONGEST_FUNCTION])


FORBIDDEN_IMPORTS = {"pickle", "marshal", "shelve", "dill", "cPickle"}
FORBIDDEN_CALLS = {"eval", "exec"}
FORBIDDEN_WORDS = {("shell", True), ("verify", False), ("autoescape", False)}


def dangers(path: Path) -> Iterator[str]:
    """Places where data could become code, or a check is off."""
    for node in nodes(path):
        match node:
            case ast.Import(names=names):
                if {alias.name.split(".")[0] for alias in names} & FORBIDDEN_IMPORTS:
                    yield place(path, node)
            case ast.ImportFrom(module=str(module)):
                if module.split(".")[0] in FORBIDDEN_IMPORTS:
                    yield place(path, node)
            case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
                yield place(path, node)
            case ast.keyword(arg=name, value=ast.Constant(value=bool(value))):
                if (name, value) in FORBIDDEN_WORDS:
                    yield place(path, node)


def test_nothing_turns_data_into_code_or_a_check_off() -> None:
    expect_none([danger for path in [*ours(), ROOT / "dev"] for danger in dangers(path)])


def test_at_most_one_module_declares_text_to_be_html() -> None:
    makers = {
        str(path.relative_to(ROOT))
        for path in ours()
        for node in nodes(path)
        if isinstance(node, ast.Call) and "Markup" in ast.unparse(node.func)
    }
    assert len(makers) <= 1, makers


def test_no_template_prints_without_escaping() -> None:
    escape_off = re.compile(r"\|\s*safe\b|autoescape\s+false")
    offenders = [
        place(path, number)
        for path in sorted((ROOT / "templates").rglob("*"))
        if path.is_file()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if escape_off.search(line)
    ]
    expect_none(offenders)


SWITCHED_OFF = re.compile(r"#\s*(?:noqa|type:\s*ignore)(?P<rest>.*)")
NAMED_WITH_REASON = re.compile(r"(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|\[[a-z, -]+\])\W+\w+")


def test_a_check_is_switched_off_only_by_name_and_with_a_reason() -> None:
    offenders = []
    for path in written():
        for token in tokenize.tokenize(io.BytesIO(path.read_bytes()).readline):
            off = SWITCHED_OFF.search(token.string) if token.type == tokenize.COMMENT else None
            if off and not NAMED_WITH_REASON.match(off["rest"]):
                offenders.append(place(path, token.start[0]))
    expect_none(offenders)
