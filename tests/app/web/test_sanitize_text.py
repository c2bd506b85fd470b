"""Plain text in its frame: links, quotes, folding, and that it stays text."""

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.web import plaintext
from app.web.frame import MARK_IN_TEXT
from app.web.plaintext import plain_text_document


def body(text: str) -> str:
    found = re.search(r"<body dir=\"auto\">\n(.*)</body>", plain_text_document(text).document, re.S)
    assert found is not None
    return found.group(1).removesuffix("\n")


def inside(text: str) -> str:
    """The text element of a message without a folded tail."""
    return body(text).removeprefix('<div class="text">').removesuffix("\n</div>")


def link(target: str, shown: str) -> str:
    leads = re.sub(r"^https?://", "", target, flags=re.IGNORECASE)
    leads = leads.lower() if "/" not in leads and ":" not in leads else leads
    rel = 'rel="noopener noreferrer nofollow" target="_blank"'
    return f'<a href="{target}" {rel} title="{leads}">{shown}</a>'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>pwned()</script>", "&lt;script&gt;pwned()&lt;/script&gt;"),
        ("a & b \"c\" 'd'", "a &amp; b &quot;c&quot; &#x27;d&#x27;"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("  two  blanks\tand a tab", "  two  blanks\tand a tab"),
        ("javascript:pwned()", "javascript:pwned()"),
        ("no link: http:// www. a@b @x.example", "no link: http:// www. a@b @x.example"),
    ],
)
def test_text_stays_text(text: str, shown: str) -> None:
    assert inside(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://x.example/a?b=1&c=2.", f"see {link('https://x.example/a?b=1&amp;c=2', 'https://x.example/a?b=1&amp;c=2')}."),
        ("(www.x.example)", f"({link('https://www.x.example', 'www.x.example')})"),
        ("http://x.example/a_(b)", link("http://x.example/a_(b)", "http://x.example/a_(b)")),
        ("<https://x.example>", f"&lt;{link('https://x.example', 'https://x.example')}&gt;"),
        ("jane@x.example, ok", f"{link('mailto:jane@x.example', 'jane@x.example')}, ok"),
        ("HTTPS://X.example", link("HTTPS://X.example", "HTTPS://X.example")),
        ("https://x.example/日本", link("https://x.example/日本", "https://x.example/日本")),
    ],
)  # fmt: skip
def test_links_are_links(text: str, shown: str) -> None:
    assert inside(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        'https://x.example/"onmouseover="pwned()',  # CVE-2020-35730
        "https://x.example/'><img src=x onerror=pwned()>",
        'www.x.example"style="position:fixed',
        '"><script>pwned()</script>@x.example',
        "http://x.example/<svg onload=pwned()>",  # CVE-2023-43770
        "https://x.example/\u2028<script>",
        "[<a@x.example>](javascript:pwned())",
    ],
)
def test_a_link_cannot_break_out_of_its_attribute(text: str) -> None:
    shown = body(text)
    outside = re.sub(r'<a href="[^"<>]*" rel="[a-z ]*" target="_blank" title="[^"<>]*">', "", shown)
    assert set(re.findall(r"<[^>]*>", outside)) <= {'<div class="text">', "</div>", "</a>"}


@given(st.text(max_size=400) | st.lists(st.sampled_from(
    ["http://", "www.", "@", ">", "> ", "\n", "x.example", '"', "<", "&", ")", "(", ".", " "]
), max_size=40).map("".join))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_every_character_of_any_text_is_shown_once(text: str) -> None:
    shown = html.unescape(re.sub(r"<summary>.*?</summary>|<[^>]*>", "", body(text)))
    marks = re.compile(r"^(> ?)+", re.MULTILINE)
    blanks = re.compile(r"\s+")
    assert blanks.sub("", shown) == blanks.sub("", marks.sub("", text))


def test_quotes_are_nested_by_their_depth() -> None:
    assert inside("a\n> b\n>> c\n> d\ne") == (
        "a\n<blockquote>b<blockquote>c</blockquote>d</blockquote>e"
    )


def test_quotes_are_not_nested_without_end() -> None:
    assert body(">" * 10_000 + "x").count("<blockquote>") == plaintext.DEEPEST_QUOTE


def test_a_long_quoted_tail_is_folded_and_a_short_one_is_not() -> None:
    tail = "\n".join(f"> line {n}" for n in range(20))
    assert "<details>" in body(f"My answer.\n\nJane wrote:\n{tail}\n\n")
    assert "<details>" not in body("My answer.\n\n> one line")
    assert "<details>" not in body(tail)  # nothing but a quote: show it
    assert "<details>" not in body(f"{tail}\nMy answer below.")


def test_the_frame_follows_the_readers_light_or_dark() -> None:
    assert "color-scheme: light dark" in plain_text_document("x").document


def test_text_beyond_reason_is_cut_and_says_so() -> None:
    page = plain_text_document("x" * (plaintext.LONGEST_TEXT + 1))
    assert page.notices == (plaintext.CUT_NOTICE,)
    assert plaintext.CUT_NOTICE in page.document


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit", ["a", "@", "a@", "http://", "www.", ">", ">\n", ".", "http://a)", "a.b@c-"]
)
def test_an_endless_line_is_read_to_its_end(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    assert plain_text_document(text).notices == ()


def test_hits_are_marked_and_escaped() -> None:
    text = "See https://shop.example/Größe <b> & more\n> größe"
    page = plain_text_document(text, ("grosse", "<b>")).document
    assert 'href="https://shop.example/Größe"' in page
    assert "https://shop.example/<mark>Größe</mark></a>" in page
    assert "<mark>&lt;b&gt;</mark> &amp; more" in page
    assert "<blockquote><mark>größe</mark>" in page


def test_a_disguised_link_has_a_mark_and_a_plain_one_has_none() -> None:
    shown = body("https://bank.com and https://bank.com@evil.net/x")
    assert shown.count("⚠") == 1
    assert shown.endswith(f'<span style="{MARK_IN_TEXT}">⚠ evil.net</span>\n</div>')
    assert 'title="evil.net/x"' in shown


def test_a_link_ends_before_what_would_turn_it() -> None:
    assert 'href="https://bank.com/"' in body("https://bank.com/\u202egnp.exe")
