"""Rich text: what somebody formatted, or a stranger's HTML that is quoted, cut down to what may go.

One allow-list for all of it, whoever claims to have written it: the markup is balanced and bounded
(`markup.html_balance`), parsed by an HTML5 parser and reduced to listed elements (nh3), and every
attribute is checked and written anew, styles by `markup.css_filter`. No script, no form, no style
sheet, no id; of classes only our own; links to the web, to mail and telephones; and no address
that a reader would fetch: pictures are `cid:` and the name of a file that goes with the letter.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Final
from urllib.parse import unquote

import nh3

from app.markup.attributes import CHECKS, Styles, safe_link
from app.markup.html_balance import ATTRIBUTES, TAGS, balance
from app.sending.flowing import SIGNATURE
from app.sending.pictures import PICTURE
from app.views import RichText

LONGEST_RICH: Final = 1024 * 1024  # characters that somebody may write
QUOTED_HTML: Final = 512 * 1024  # characters of a stranger's HTML that are quoted
SIGNED = "la-signature"  # the class of a signature, by which the page finds it again
_ANYTHING: Final = re.compile(r"<img |(?:^|>)\s*[^<\s]")


def read_rich(html: str) -> RichText | None:
    """What somebody formatted; None: nothing."""
    balanced = balance(html[:LONGEST_RICH])
    kept = _clean(balanced.markup, {})
    whole = len(html) <= LONGEST_RICH and not balanced.cut
    return RichText(kept, whole) if _ANYTHING.search(kept) else None


def quoted_html(html: str, pictures: Mapping[str, str]) -> str:
    """A stranger's HTML as a part of rich text. `pictures`: their names by Content-ID."""
    return _clean(balance(html[:QUOTED_HTML]).markup, pictures)


def rich_text(text: str) -> RichText:
    """Plain text with its quotes as quotes and its signature as one."""
    return RichText(_lines(text.strip("\n").split("\n"), 0)) if text.strip() else RichText("")


def _clean(markup: str, pictures: Mapping[str, str]) -> str:
    return nh3.clean(
        markup,
        tags=set(TAGS),
        attributes={"*": set(ATTRIBUTES)},
        attribute_filter=_Attributes(pictures),
        clean_content_tags={"script", "style"},
        link_rel=None,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        url_relative="deny",
        strip_comments=True,
    )


class _Attributes:
    """Decides on each attribute: what it becomes, or None where it goes."""

    def __init__(self, pictures: Mapping[str, str]) -> None:
        self._pictures = pictures
        self._styles = Styles()

    def __call__(self, tag: str, attribute: str, value: str) -> str | None:
        if attribute == "style":
            return self._styles(value)
        if attribute == "src":
            return self._picture(value) if tag == "img" else None
        if attribute == "href":
            return safe_link(value) if tag == "a" else None
        if attribute == "class":
            return SIGNED if value == SIGNED else None
        check = CHECKS.get(attribute)
        return check(value) if check else None

    def _picture(self, value: str) -> str | None:
        if not value.startswith("cid:"):
            return None
        named = unquote(value.removeprefix("cid:"))
        name = self._pictures.get(named, named)
        return f"cid:{name}" if PICTURE.fullmatch(name) else None


def signature_html(signature: str) -> str:
    """A signature with its delimiter."""
    lines = "<br>".join(escape(line, quote=False) for line in (SIGNATURE, *signature.split("\n")))
    return f'<div class="{SIGNED}">{lines}</div>'


def _lines(lines: list[str], depth: int) -> str:
    """Lines of text at a depth of quoting; what is quoted deeper becomes a block."""
    out: list[str] = []
    block: list[str] = []
    for number, line in enumerate((*lines, None)):
        if line is not None and line.startswith(">") and depth < 20:
            block.append(line[1:].removeprefix(" "))
            continue
        if block:
            out.append(cite(_lines(block, depth + 1)))
            block = []
        if line == SIGNATURE and not depth:
            rest = lines[number + 1 :]
            ends = next((n for n, one in enumerate(rest) if not one.strip()), len(rest))
            out.append(signature_html("\n".join(rest[:ends])))
            return "".join(out) + (_lines(rest[ends:], depth) if ends < len(rest) else "")
        if line is not None:
            out.append(f"<div>{escape(line, quote=False) or '<br>'}</div>")
    return "".join(out)


def cite(html: str) -> str:
    """Rich text as a quote."""
    return f'<blockquote type="cite">{html}</blockquote>'
