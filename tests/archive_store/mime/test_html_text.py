"""HTML as text, and the tokens below it."""

import pytest

from archive_store.mime.html_text import html_to_text, remote_images
from archive_store.mime.html_tokens import Kind, attributes, tokens


def text_of(html: str) -> str:
    return html_to_text(html)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one<p>two", "one\ntwo"),
        ("a &lt;b&gt; &amp; &eacute;", "a <b> & é"),
        ("x<!-- no > --> y", "x y"),
        ("x<!--> y", "x y"),
        ("x<!-- never closed", "x"),
        ("<style>p{}</style>x<script>alert('</p>')</script>y", "xy"),
        ("<title>t</title>x", "x"),
        ("a < b", "a < b"),
        ('<a title="a>b" href=x>link</a>', "link"),
        ("<a title='>' b=\"'\" c>link</a>", "link"),
        ("<![if !mso]>shown<![endif]>", "shown"),
        ("<?xml version='1'?>x", "x"),
        ("x<p never closed", "x"),
        ("<SCRIPT>a</sCript >b", "b"),
        ("a<br/>b", "a\nb"),
        ("  many\n\n  blanks\u00a0 ", "many blanks"),
    ],
)
def test_text(html: str, text: str) -> None:
    assert text_of(html) == text


def test_it_stops_once_it_has_enough() -> None:
    assert len(html_to_text("<p>word " * 10_000, 100)) < 200


def test_attributes_are_read_as_a_browser_does() -> None:
    written = " A=1 b = 'x y' c=\"<>\" d e=/f/ =g ü='ü'"
    assert list(attributes(written)) == [
        ("a", "1"),
        ("b", "x y"),
        ("c", "<>"),
        ("d", ""),
        ("e", "/f/"),
        ("=g", ""),
        ("ü", "ü"),
    ]


def test_pictures_from_elsewhere_are_counted() -> None:
    html = (
        "<img src=http://x/a><IMG SRC=' HTTPS://x/b'><img src='//x/c'><img src=cid:d><img alt=e>"
        "<img src='&#104;ttp://x/f'><!-- <img src=http://x/g> -->"
    )
    assert remote_images(html) == 4


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "unit",
    ["<", "<a ", "<a b='", '<a b="', "<!--", "<!", "</", "<a/", "<style>", "<a b=", "--", ">"],
)
def test_tokens_are_linear_for_any_flood(unit: str) -> None:
    flood = unit * (1_000_000 // len(unit))
    assert sum(1 for token in tokens(flood) if token.kind is Kind.RAW) <= 1
