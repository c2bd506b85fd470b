"""The page around a message body in its frame: `SafeHtml`, its base style, its policy.

Two walls stand between a message and the reader: the sanitiser that made the body, and the policy
that the frame is served with. The sandbox has no scripts and no forms; images are only those that
came with the message, and those of our own proxy in a frame for which somebody asked for them.
<base target> is not bound by base-uri, which is about href alone.
"""

from __future__ import annotations

import html as entities
import re
from dataclasses import dataclass
from typing import Final

from app.markup.css_filter import PREFIX
from app.markup.html_balance import STAND_IN
from app.phrase import Phrase, Say, phrase

_POLICY: Final = (
    "default-src 'none'; img-src {pictures}; style-src 'unsafe-inline'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
FRAME_CSP: Final = _POLICY.format(pictures="data:")

_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_DIRECTIONS: Final = frozenset(("ltr", "rtl", "auto"))

# What stands beside a link that leads elsewhere than it seems to. Important and within the element:
# no style sheet of a sender outweighs it.
_MARK: Final = (
    "all: initial !important; display: inline-block !important; "
    "direction: ltr !important; unicode-bidi: isolate !important; "
    "margin: 0 2px 0 4px !important; padding: 0 6px !important; border-radius: 6px !important; "
    "font: 600 13px/1.5 system-ui, sans-serif !important; overflow-wrap: anywhere !important; "
)
MARK_ON_PAPER: Final = _MARK + "color: #8f1d12 !important; background: #fde8e4 !important"
MARK_IN_TEXT: Final = (
    _MARK + "color-scheme: light dark !important; color: light-dark(#8f1d12, #ffc9be) !important; "
    "background: light-dark(#fde8e4, #55211a) !important"
)
# Who comes to a link by the keyboard or presses it sees where it leads, as the pointer is told.
_LEADS_STYLE: Final = """\
a[title]:is(:focus-visible, :active) { position: relative }
a[title]:is(:focus-visible, :active)::after { content: attr(title); position: absolute; z-index: 9;
  inset-block-start: 100%; inset-inline-start: 0; width: max-content; max-width: min(420px, 80vw);
  padding: 2px 8px; border-radius: 6px; font: 13px/1.5 system-ui, sans-serif; direction: ltr;
  text-align: left; white-space: normal; overflow-wrap: anywhere; color: #fff; background: #26282e }
"""
_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
_HTML_STYLE: Final = f"""\
html {{ color-scheme: light; background: #fff; color: #1d1d1f }}
body {{ margin: 16px; font: 16px/1.5 {_FONT}; overflow-wrap: break-word }}
img {{ max-width: 100%; height: auto; border: 0 }}
img:not([src]), .{PREFIX}{STAND_IN} {{ background: #f2f2f4; color: #6e6e73 !important;
  font-size: 12px; line-height: 1.3; max-width: 100% }}
.{PREFIX}{STAND_IN} {{ display: inline-block; box-sizing: border-box; overflow: hidden;
  vertical-align: bottom; text-decoration: none }}
.{PREFIX}{STAND_IN}:not(:empty) {{ min-width: 24px; min-height: 16px; padding: 0 4px }}
pre {{ white-space: pre-wrap }}
blockquote {{ margin: 0 0 0 4px; border-left: 2px solid #d2d2d7; padding-left: 12px }}
{_LEADS_STYLE}a {{ color: #0b57d0 }}
mark {{ background: #fbe9a0; color: #1d1d1f }}
"""
# The surfaces and inks of the pages around it (static/css/tokens.css), in both themes.
_TEXT_STYLE: Final = f"""\
html {{ color-scheme: light dark; background: light-dark(oklch(.995 .001 85), oklch(.205 .009 262));
  color: light-dark(oklch(.25 .014 262), oklch(.93 .005 85)) }}
body {{ margin: 0; padding: 2px; font: 16px/1.5 {_FONT}; overflow-wrap: anywhere }}
.text {{ max-width: 72ch; white-space: pre-wrap; unicode-bidi: plaintext; tab-size: 4 }}
blockquote {{ margin: 0; padding-left: 12px; unicode-bidi: plaintext;
  border-left: 2px solid light-dark(oklch(.8 .01 262), oklch(.42 .012 262));
  color: light-dark(oklch(.43 .014 262), oklch(.8 .008 262)) }}
summary {{ width: max-content; padding: 8px 0; cursor: pointer;
  color: light-dark(oklch(.43 .014 262), oklch(.8 .008 262)) }}
{_LEADS_STYLE}a {{ color: light-dark(oklch(.475 .135 252), oklch(.775 .1 248)) }}
mark {{ background: light-dark(oklch(.925 .1 98), oklch(.43 .085 92)); color: inherit }}
"""
_PAPER_STYLE: Final = """\
#print-head, #print-head * { all: revert !important }
#print-head { display: block !important; visibility: visible !important; direction: inherit
  !important; color: #000 !important; background: #fff !important; white-space: normal !important;
  font: 14px/1.4 system-ui, sans-serif !important; letter-spacing: 0 !important;
  text-align: start !important; text-indent: 0 !important; text-transform: none !important;
  border-bottom: 1px solid #000 !important; margin: 0 0 16px !important;
  padding: 0 0 12px !important }
#print-head h1 { font-size: 20px !important; margin: 0 0 8px !important }
#print-head p { margin: 2px 0 !important; overflow-wrap: anywhere !important }
@media print { #print-head .screen { display: none !important } }
html { color-scheme: light !important; background: #fff !important; color: #000 !important }
details::details-content { content-visibility: visible !important; display: block !important }
summary { display: none !important }
"""
_OPENING: Final = 3  # pieces of a page before its body, see `_page`
_NOTICE: Final = (
    '<p style="margin-top: 24px; border-top: 1px solid; padding-top: 8px; font: 14px/1.5 '
    'system-ui, sans-serif">'
)
_TITLE: Final = phrase("Message body")

Pieces = tuple[str, ...]  # of a document: safe markup, and phrases, which are not escaped yet


def policy_with(pictures: str) -> str:
    """The policy of a frame that may also show what lies under an address of ours."""
    return _POLICY.format(pictures=f"data: {pictures}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeHtml:
    """A complete page for the frame. Nobody changes it; it is served as it is."""

    pieces: Pieces
    blocked_images: int = 0  # pictures from elsewhere that are not shown
    notices: tuple[str, ...] = ()  # what was left out; the document ends with them too

    @property
    def document(self) -> str:
        return self.said(str)

    def said(self, say: Say) -> str:
        """The document, with what we say in it in somebody's language."""
        return "".join(
            entities.escape(say(piece)) if isinstance(piece, Phrase) else piece
            for piece in self.pieces
        )

    def on_paper(self, head: str, say: Say) -> str:
        """The document with a head of ours above its body. The sender's style does not reach it: no
        id in a message is ours, and what is said by id and as important outweighs all it says.
        """
        opening, rest = self.pieces[:_OPENING], self.pieces[_OPENING:]
        style = f"<style>\n{_PAPER_STYLE}</style>\n"
        return SafeHtml(pieces=(*opening, style, head, *rest)).said(say)


def html_page(
    body: str, *, style: str, language: str, direction: str, notices: tuple[str, ...] = ()
) -> Pieces:
    """The page of an HTML message: white, as its sender saw it. `body` and `style` are safe."""
    return _page((body,), _HTML_STYLE + style, language, direction, notices)


def text_page(body: Pieces, *, language: str = "", notices: tuple[str, ...] = ()) -> Pieces:
    """The page of a plain text message: light or dark, as the reader's system is."""
    return _page(body, _TEXT_STYLE, language, "auto", notices)


def _page(
    body: Pieces, style: str, language: str, direction: str, notices: tuple[str, ...]
) -> Pieces:
    lang = f' lang="{language}"' if _LANGUAGE.fullmatch(language) else ""
    way = direction if direction in _DIRECTIONS else "auto"
    said = [piece for notice in notices for piece in (_NOTICE, notice, "</p>")]
    return (
        f'<!DOCTYPE html>\n<html{lang}>\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<base target="_blank">\n<title>',
        _TITLE,
        f'</title>\n<style>\n{style}</style>\n</head>\n<body dir="{way}">\n',
        *body,
        "\n",
        *said,
        "</body>\n</html>\n",
    )
