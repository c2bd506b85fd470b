"""Every template: it compiles, and it holds to what our content security policy promises.

The rules read the markup with Jinja's own parts taken out, so a rule sees every branch at once.
"""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.web.dates import english
from app.web.render import environment

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
NAMES = sorted(p.relative_to(TEMPLATES).as_posix() for p in TEMPLATES.rglob("*") if p.is_file())

JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
FORM = re.compile(r"<form\b.*?</form>", re.DOTALL | re.IGNORECASE)
# Nobody is signed in yet, so no session can carry a token: the origin check guards these.
WITHOUT_TOKEN = (
    "url('login')",
    "url('login_code')",
    "url('second_step')",
    "url('set_language')",
)
LOADS = {"script", "link", "img", "iframe", "source", "audio", "video", "object", "embed", "use"}


class Tags(HTMLParser):
    """The tags of a template, each with its line and its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[int, str, dict[str, str]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.found.append((self.getpos()[0], tag, values))


def source(name: str) -> str:
    return (TEMPLATES / name).read_text()


@cache
def tags(name: str) -> list[tuple[int, str, dict[str, str]]]:
    def blank(match: re.Match[str]) -> str:
        filler = "x" if match[0].startswith("{{") else " "
        return filler + "\n" * match[0].count("\n")

    return Tags(JINJA.sub(blank, source(name))).found


def expect_none(offenders: list[str]) -> None:
    __tracebackhide__ = True
    if offenders:
        pytest.fail("\n".join(offenders), pytrace=False)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_compiles_as_the_product_compiles_it(name: str) -> None:
    environment(english()).get_template(name)


def test_no_template_has_a_script_or_a_style_of_its_own() -> None:
    offenders = []
    for name in NAMES:
        for line, tag, attributes in tags(name):
            handlers = {key for key in attributes if key.startswith("on")}
            inline = tag == "style" or (tag == "script" and "src" not in attributes)
            if inline or handlers or "style" in attributes:
                offenders.append(f"templates/{name}:{line}: <{tag}> {sorted(attributes)}")
    expect_none(offenders)


def test_no_template_loads_anything_from_elsewhere() -> None:
    offenders = [
        f"templates/{name}:{line}: {value}"
        for name in NAMES
        for line, tag, attributes in tags(name)
        if tag in LOADS
        for key, value in attributes.items()
        if key in ("src", "href", "data", "poster", "srcset") and "//" in value
    ]
    expect_none(offenders)


def test_no_link_is_a_script() -> None:
    offenders = [
        f"templates/{name}:{line}: <{tag}>"
        for name in NAMES
        for line, tag, attributes in tags(name)
        if any(v.strip().lower().startswith("javascript:") for v in attributes.values())
    ]
    expect_none(offenders)


def test_a_link_to_a_window_of_its_own_gives_that_window_no_hold() -> None:
    offenders = [
        f"templates/{name}:{line}"
        for name in NAMES
        for line, tag, attributes in tags(name)
        if attributes.get("target") == "_blank" and "noopener" not in attributes.get("rel", "")
    ]
    expect_none(offenders)


def test_every_form_that_changes_something_carries_its_token() -> None:
    offenders = []
    for name in NAMES:
        for form in FORM.finditer(source(name)):
            opening = form[0].partition(">")[0].lower()
            if (
                "post" in opening
                and "csrf" not in form[0]
                and not any(name in opening for name in WITHOUT_TOKEN)
            ):
                line = source(name)[: form.start()].count("\n") + 1
                offenders.append(f"templates/{name}:{line}")
    expect_none(offenders)


def test_every_form_says_how_it_is_sent() -> None:
    offenders = [
        f"templates/{name}:{line}"
        for name in NAMES
        for line, tag, attributes in tags(name)
        if tag == "form" and attributes.get("method", "").lower() not in ("get", "post", "dialog")
    ]
    expect_none(offenders)


def test_every_picture_has_a_text_and_every_frame_a_title() -> None:
    needed = {"img": "alt", "iframe": "title"}
    offenders = [
        f"templates/{name}:{line}: <{tag}> has no {needed[tag]}"
        for name in NAMES
        for line, tag, attributes in tags(name)
        if tag in needed and needed[tag] not in attributes
    ]
    expect_none(offenders)


def test_templates_and_code_name_only_what_exists() -> None:
    static, icons = ROOT / "static", (ROOT / "static" / "icons.svg").read_text()
    offenders = []
    for name in NAMES:
        text = source(name)
        for used in re.findall(r"""\bstatic\(['"]([^'"]+)['"]\)""", text):
            if not (static / used).is_file():
                offenders.append(f"templates/{name}: static/{used}")
        for used in re.findall(r"""\bicon\(['"]([^'"]+)['"]""", text):
            if f'id="{used}"' not in icons:
                offenders.append(f"templates/{name}: icon {used}")
    for path in sorted((ROOT / "app" / "web").rglob("*.py")):
        for used in re.findall(r"""['"]([a-z_/-]+\.html)['"]""", path.read_text()):
            if used not in NAMES:
                offenders.append(f"{path.relative_to(ROOT)}: templates/{used}")
    expect_none(offenders)
