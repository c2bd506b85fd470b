"""The repository as a stranger finds it: what it says of itself is true, and nothing leaks in."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
VERBS = re.findall(r"^  (\w+) ", subprocess.check_output([ROOT / "dev"], text=True), re.MULTILINE)

# Machines and package hosts that mean nothing, or harm, elsewhere. Written so as not to match here.
FOREIGN = re.compile(
    r"(?<![\w.])/(?:root|wor[k]|far[m])/|(?<![\w.])/home/(?!USER)\w"
    r"|https?://[^ \"']*(?:/simple/|\.whl|\.tgz|/packages/)"
    r"|(?:pypi|npmjs|debian)\.org/|pythonhosted\.org|--(?:extra-)?index-url|--find-links"
)


def read(name: str) -> str:
    return (ROOT / name).read_text()


def committed() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_package_has_hashes_and_no_host(lock: Path) -> None:
    # A package without a wheel is named by an option on top.
    text = re.sub(r"^(?:\s*#.*|--no-binary \S+\n)\n", "", lock.read_text(), flags=re.M)
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert all("==" in entry for entry in entries)
    for entry in entries:
        assert re.match(r"[a-z0-9.-]+(\[[a-z]+\])?==", entry), entry
        assert "--hash=sha256:" in entry, entry
    assert "://" not in lock.read_text()


def test_running_and_testing_use_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9.-]+==\S+)", read(f"requirements/{name}.txt"), re.M))

    assert pins("run") <= pins("dev")


def test_the_locks_hold_what_the_project_asks_for() -> None:
    asked = tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]
    names = {re.split(r"[^a-zA-Z0-9.-]", text)[0].replace(".", "-") for text in asked}
    locked = set(re.findall(r"^([a-z0-9-]+)==", read("requirements/run.txt"), re.M))
    assert names - locked == set()


def test_the_licence_of_every_dependency_is_listed() -> None:
    names = re.findall(r"^([a-z0-9-]+)==", read("requirements/run.txt"), re.M)
    listed = set(re.findall(r"[a-z0-9-]+", read("NOTICE")))
    assert [name for name in names if name not in listed] == []


def test_no_committed_file_names_a_machine_or_a_package_host() -> None:
    offenders = []
    for path in committed():
        if path.parent == ROOT / "static" / "vendor":
            continue  # unchanged words of others, which test_vendor.py holds to their digests
        if path == Path(__file__) or path.suffix in (".png", ".jpg", ".ico", ".woff2"):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if FOREIGN.search(line):
                offenders.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    if offenders:
        pytest.fail("\n".join(offenders), pytrace=False)


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md"])
def test_the_papers_of_the_project_are_there(name: str) -> None:
    assert len(read(name)) > 500


def test_every_verb_that_a_paper_names_exists() -> None:
    papers = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / ".ci" / "run"]
    for paper in papers:
        for verb in re.findall(r"\./dev (\w+)", paper.read_text()):
            assert verb in VERBS, f"{paper.relative_to(ROOT)} names ./dev {verb}"


def test_make_knows_the_verbs_of_dev() -> None:
    made = re.search(r"^VERBS := (.*)$", read("Makefile"), re.MULTILINE)
    assert made is not None
    assert made[1].split() == VERBS


def test_the_changelog_has_the_version() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert re.search(
        rf"^## \[?{re.escape(version)}\b|^## \[?Unreleased", read("CHANGELOG.md"), re.M
    )


def test_ci_calls_one_command_of_ours_and_no_other() -> None:
    lines = [line for line in read(".ci/run").splitlines() if not line.startswith("#")]
    assert lines[-1] == "exec ./dev test"
    assert {line.split()[0] for line in lines} <= {"set", "cd", "export", "exec"}


def test_an_unknown_verb_is_wrong_usage() -> None:
    wrong = subprocess.run([ROOT / "dev", "rnu"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "usage: ./dev" in wrong.stdout


def test_an_older_python_is_told_in_one_line(tmp_path: Path) -> None:
    pretend = "import runpy, sys; sys.version_info = (3, 9, 2, 'final', 0)"
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{pretend}; runpy.run_path({str(ROOT / 'dev')!r}, None, '__main__')",
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(tmp_path)},  # where no newer Python can be found
    )
    assert told.returncode == 1
    assert re.fullmatch(r"\./dev: Python 3\.11 or newer is needed.*\n", told.stderr)


def test_dev_needs_no_new_syntax_and_nothing_but_the_standard_library() -> None:
    tree = ast.parse(read("dev"), feature_version=(3, 7))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported <= sys.stdlib_module_names
