"""CSS of a stranger, kept only as it is written anew from tokens (CSS Syntax Level 3, tinycss2).

A declaration survives when its property is in the list and its value consists of keywords,
numbers, lengths, percentages, colours, rgb()/rgba()/hsl()/hsla() and, for fonts, plain names.
Any other function, any url, var(), any backslash, any number beyond reason: the declaration goes.
Of at-rules only @media about width and medium stays. Class and id names get the prefix "m-", as
they do in the markup. No octet of the sender's text is copied: everything is built from checked
tokens, so that nothing in the result can end a style element or an attribute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import tinycss2  # type: ignore[import-untyped] # no stubs
from tinycss2 import ast

PREFIX: Final = "m-"
LONGEST_SHEET: Final = 256 * 1024  # characters, all style elements of a message
LONGEST_STYLE: Final = 8 * 1024  # one style attribute
MOST_STYLE: Final = 1024 * 1024  # all different style attributes of a message

_EDGES: Final = ("top", "right", "bottom", "left")
_PROPERTIES: Final = frozenset(
    "background background-color border-collapse border-spacing border-radius box-sizing "
    "caption-side clear color direction display empty-cells float font font-family font-size "
    "font-style font-variant font-weight height hyphens letter-spacing line-height list-style "
    "list-style-position list-style-type max-height max-width min-height min-width opacity "
    "overflow overflow-wrap overflow-x overflow-y page-break-after page-break-before "
    "page-break-inside quotes table-layout text-align text-align-last text-decoration "
    "text-decoration-color text-decoration-line text-decoration-style text-indent text-overflow "
    "text-transform unicode-bidi vertical-align visibility white-space width word-break "
    "word-spacing word-wrap writing-mode outline outline-color outline-style outline-width "
    "-webkit-text-size-adjust -ms-text-size-adjust text-size-adjust "
    "border-top-left-radius border-top-right-radius border-bottom-left-radius "
    "border-bottom-right-radius border border-color border-style border-width margin padding "
    "align-items align-content align-self justify-content flex flex-basis flex-direction "
    "flex-grow flex-shrink flex-wrap gap row-gap column-gap object-fit".split()
) | frozenset(
    name
    for edge in _EDGES
    for name in (
        f"margin-{edge}",
        f"padding-{edge}",
        f"border-{edge}",
        f"border-{edge}-color",
        f"border-{edge}-style",
        f"border-{edge}-width",
    )
)
_FONTS: Final = frozenset(("font", "font-family"))
_COLOUR_FUNCTIONS: Final = frozenset(("rgb", "rgba", "hsl", "hsla"))
_UNITS: Final = frozenset(
    "px em rem ex ch pt pc in cm mm q vw vh vmin vmax deg fr s ms dppx dpi".split()
)
_IDENT: Final = re.compile(r"-?[A-Za-z_][A-Za-z0-9_-]{0,79}")
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,5}(?:\.\d{0,9})?|\.\d{1,9})")
_HEX: Final = re.compile(r"[0-9A-Fa-f]{3,8}")
_FONT_NAME: Final = re.compile(r"[\w .-]{1,80}")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_GREATEST: Final = 10_000  # in any unit: a page a mile long hides what follows it

_SIGNS: Final = frozenset("*>+~.:")
_PSEUDO: Final = frozenset(
    "link visited hover active focus first-child last-child only-child first-of-type "
    "last-of-type empty".split()
)
_MEDIA_WORDS: Final = frozenset(("all", "screen", "print", "only", "and", "not"))
_MEDIA_FEATURES: Final = frozenset(
    "width min-width max-width min-device-width max-device-width height min-height max-height "
    "orientation min-resolution max-resolution -webkit-min-device-pixel-ratio".split()
)

# No escape is ever undone: a backslash becomes a character that no name and no string may have.
_NO_ESCAPES: Final = {ord("\\"): "\ufffd"}


def declarations(text: str) -> str:
    """The declarations of a style attribute that may stay; empty when none does."""
    if len(text) > LONGEST_STYLE:
        return ""
    return _block(tinycss2.parse_blocks_contents(_plain(text), skip_comments=True))


def sheet(text: str) -> str:
    """The rules of a style element that may stay."""
    return "\n".join(
        _rules(tinycss2.parse_stylesheet(_plain(text), skip_comments=True), nested=False)
    )


def _plain(text: str) -> str:
    return text.translate(_NO_ESCAPES)


def _block(nodes: Iterable[ast.Node]) -> str:
    kept = []
    for node in nodes:
        if isinstance(node, ast.Declaration) and node.lower_name in _PROPERTIES:
            name, value = node.lower_name, _value(node.value, fonts=node.lower_name in _FONTS)
            if value is None and name == "background":
                # Its picture goes; its colour is what the text above it was made to be read on.
                name, value = "background-color", _last_colour(node.value)
            if value:
                end = " !important" if node.important else ""
                kept.append(f"{name}: {value}{end}")
    return "; ".join(kept)


def _rules(nodes: Iterable[ast.Node], *, nested: bool) -> Iterable[str]:
    for node in nodes:
        if isinstance(node, ast.QualifiedRule):
            selectors = _selectors(node.prelude)
            block = _block(tinycss2.parse_blocks_contents(node.content, skip_comments=True))
            if selectors and block:
                yield f"{selectors} {{ {block} }}"
        elif isinstance(node, ast.AtRule) and not nested and node.lower_at_keyword == "media":
            query = _media(node.prelude)
            if query and node.content is not None:
                content = tinycss2.parse_rule_list(node.content, skip_comments=True)
                rules = " ".join(_rules(content, nested=True))
                if rules:
                    yield f"@media {query} {{ {rules} }}"


def _value(tokens: Sequence[ast.Node], *, fonts: bool) -> str | None:
    """The value, or None when anything in it is not of the grammar above."""
    pieces = []
    for token in tokens:
        if isinstance(token, ast.WhitespaceToken):
            continue
        if isinstance(token, ast.StringToken):
            piece = f"'{token.value}'" if fonts and _FONT_NAME.fullmatch(token.value) else None
        elif isinstance(token, ast.FunctionBlock):
            piece = _colour(token)
        else:
            piece = _simple(token)
        if piece is None:
            return None
        pieces.append(piece)
    return " ".join(pieces)


def _last_colour(tokens: Sequence[ast.Node]) -> str | None:
    found = None
    for token in tokens:
        if isinstance(token, ast.HashToken):
            found = _simple(token) or found
        elif isinstance(token, ast.FunctionBlock):
            found = _colour(token) or found
    return found


def _simple(token: ast.Node) -> str | None:
    if isinstance(token, ast.IdentToken):
        return str(token.value) if _IDENT.fullmatch(token.value) else None
    if isinstance(token, ast.NumberToken | ast.PercentageToken | ast.DimensionToken):
        return _number(token)
    if isinstance(token, ast.HashToken):
        return f"#{token.value}" if _HEX.fullmatch(token.value) else None
    if isinstance(token, ast.LiteralToken):
        return str(token.value) if token.value in (",", "/") else None
    return None


def _number(token: ast.NumberToken | ast.PercentageToken | ast.DimensionToken) -> str | None:
    written: str = token.representation
    if not _NUMBER.fullmatch(written) or abs(token.value) > _GREATEST:
        return None
    if isinstance(token, ast.PercentageToken):
        return f"{written}%"
    if isinstance(token, ast.DimensionToken):
        return f"{written}{token.lower_unit}" if token.lower_unit in _UNITS else None
    return written


def _colour(token: ast.FunctionBlock) -> str | None:
    if token.lower_name not in _COLOUR_FUNCTIONS:
        return None
    pieces = []
    for argument in token.arguments:
        if isinstance(argument, ast.WhitespaceToken):
            continue
        piece = None if isinstance(argument, ast.IdentToken | ast.HashToken) else _simple(argument)
        if piece is None:
            return None
        pieces.append(piece)
    return f"{token.lower_name}({' '.join(pieces)})"


def _selectors(prelude: Sequence[ast.Node]) -> str:
    """The selectors of a rule that may stay, separated by commas."""
    found: list[list[ast.Node]] = [[]]
    for token in prelude:
        if isinstance(token, ast.LiteralToken) and token.value == ",":
            found.append([])
        else:
            found[-1].append(token)
    return ", ".join(filter(None, map(_selector, found)))


def _selector(tokens: Sequence[ast.Node]) -> str:
    written = ""
    before = ""  # a "." or ":" that waits for its name
    for token in tokens:
        piece = _selector_piece(token, before)
        if piece is None:
            return ""
        before = piece if piece in (".", ":") else ""
        if not before:
            written += piece
    return "" if before else written.strip()


def _selector_piece(token: ast.Node, before: str) -> str | None:
    if isinstance(token, ast.IdentToken):
        name = token.value
        if not _NAME.fullmatch(name):
            return None
        if before == ":":
            return f":{name.lower()}" if name.lower() in _PSEUDO else None
        return f".{PREFIX}{name}" if before else str(name).lower()
    if before:
        return None
    if isinstance(token, ast.WhitespaceToken):
        return " "
    if isinstance(token, ast.HashToken):
        return f"#{PREFIX}{token.value}" if _NAME.fullmatch(token.value) else None
    if isinstance(token, ast.LiteralToken):
        return str(token.value) if token.value in _SIGNS else None
    return None


def _media(prelude: Sequence[ast.Node]) -> str | None:
    pieces = []
    for token in prelude:
        if isinstance(token, ast.WhitespaceToken):
            continue
        if isinstance(token, ast.IdentToken) and token.lower_value in _MEDIA_WORDS:
            pieces.append(token.lower_value)
        elif isinstance(token, ast.LiteralToken) and token.value == ",":
            pieces.append(",")
        elif isinstance(token, ast.ParenthesesBlock):
            feature = _media_feature(token.content)
            if feature is None:
                return None
            pieces.append(f"({feature})")
        else:
            return None
    return " ".join(pieces) or "all"


def _media_feature(content: Sequence[ast.Node]) -> str | None:
    tokens = [token for token in content if not isinstance(token, ast.WhitespaceToken)]
    if not tokens or not isinstance(tokens[0], ast.IdentToken):
        return None
    name: str = tokens[0].lower_value
    if name not in _MEDIA_FEATURES:
        return None
    if len(tokens) == 1:
        return name
    colon = tokens[1]
    if len(tokens) != 3 or not isinstance(colon, ast.LiteralToken) or colon.value != ":":
        return None
    value = _simple(tokens[2])
    return f"{name}: {value}" if value else None
