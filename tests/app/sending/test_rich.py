"""Rich text: what may go out, whoever wrote it, and what is left of it as plain text."""

import re
from datetime import UTC, datetime

import pytest

from app.sending import quoting_rich
from app.sending.rich import LONGEST_RICH, quoted_html, read_rich, rich_text
from app.sending.unformatted import unformatted
from app.views import RichText
from archive_store.mime.html_tokens import Kind, attributes, tokens
from archive_store.mime.values import Address, ParsedMessage
from tests.corpus.markup import HOSTILE

PICTURE = "picture-0123456789abcdef.png"
AT = datetime(2026, 11, 24, 8, 51, tzinfo=UTC)
MAY_NOT_BE = set(
    "script style link meta base svg math form input button select textarea iframe object embed "
    "video audio source template noscript title frame frameset applet".split()
)


def html_of(written: str) -> str:
    rich = read_rich(written)
    return rich.html if rich else ""


def expect_harmless(html: str) -> None:
    for kind, name, value in tokens(html):
        if kind is not Kind.START:
            continue
        assert name not in MAY_NOT_BE
        for attribute, content in attributes(value):
            assert not attribute.startswith("on")
            assert attribute not in ("id", "name", "srcset", "background", "action", "data")
            if attribute in ("href", "src"):
                assert re.match(r"(https?://|mailto:|tel:|cid:(picture|source)-)", content), content
            if attribute == "src":
                assert content.startswith("cid:")
            if attribute == "style":
                assert not re.search(r"url|expression|position|behavior|@|\\|<|var\(", content)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_does_not_go_out(name: str) -> None:
    expect_harmless(html_of(HOSTILE[name]))
    expect_harmless(quoted_html(HOSTILE[name], {}))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<b>a</b>", "<b>a</b>"),
        ('<a href="javascript:x()">a</a>', "<a>a</a>"),
        ('<a href=" https://x.example/?a=1&amp;b ">a</a>', None),
        ('<div class="la-signature evil">a</div>', "<div>a</div>"),
        ('<div class="la-signature" id="x">a</div>', '<div class="la-signature">a</div>'),
        (f'<img src="cid:{PICTURE}" alt="A">', f'<img src="cid:{PICTURE}" alt="A">'),
        ('<p>a</p><img src="https://t.example/p.gif">', "<p>a</p><img>"),
        ('<p>a</p><img src="cid:x&quot;\r\nBcc: evil@x.example">', "<p>a</p><img>"),
        ('<p>a</p><img src="data:image/png;base64,AAAA">', "<p>a</p><img>"),
        ('<span style="color: red; background: url(//x)">a</span>', None),
        ("<div><br></div>", ""),
        ("", ""),
    ],
)
def test_what_may_stay(written: str, kept: str | None) -> None:
    found = html_of(written)
    expect_harmless(found)
    if kept is not None:
        assert found == kept


def test_five_megabytes_and_fifty_thousand_nested_tags_are_bounded_and_told() -> None:
    for html in ("<p>a</p>" * 600_000, "<div>" * 50_000 + "a", "<b>" * 60_000 + "a"):
        rich = read_rich(html)
        assert rich is None or len(rich.html) <= 2 * LONGEST_RICH
    long = read_rich("<p>a</p>" * 600_000)
    assert long is not None
    assert not long.whole
    deep = read_rich("<div>" * 50_000 + "a")
    assert deep is not None
    assert deep.html.count("<div>") <= 256
    assert "a" in deep.html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<div>Hi <b>Hanna</b>,</div><div><br></div><div>noon.</div>", "Hi Hanna,\n\nnoon.\n"),
        ("a<br>b", "a\nb\n"),
        ("<p>one</p><p>two</p>", "one\n\ntwo\n"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "* a\n  * b\n* c\n"),
        ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b\n"),
        ('see <a href="https://x.example/a">this</a>', "see this <https://x.example/a>\n"),
        ('<a href="https://x.example">https://x.example</a>', "https://x.example\n"),
        ('<a href="mailto:h@x.example">h@x.example</a>', "h@x.example\n"),
        ('<div class="la-signature">-- <br>Vlad<br>Acme</div>', "-- \nVlad\nAcme\n"),
        (
            "<div>Yes</div><blockquote><div>Old</div><blockquote>older</blockquote></blockquote>ok",
            "Yes\n\n> Old\n>\n>> older\n\nok\n",
        ),
        ("<pre>a  b\n c</pre>", "a  b\n c\n"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1  2\n"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c\n"),
        ('<img alt="A view" src="x">', "[A view]\n"),
    ],
)
def test_the_plain_part_reads_as_the_rich_one(html: str, text: str) -> None:
    assert unformatted(RichText(html)) == text


@pytest.mark.parametrize(
    "text",
    [
        "Hello\n\nthere\n",
        "Yes\n\n-- \nVlad\nAcme\n",
        "Yes.\n\nOn Monday, Hanna wrote:\n\n> One\n>\n> Two\n",
        'a <b> & "c"\n',
    ],
)
def test_plain_text_comes_back_from_rich_text(text: str) -> None:
    assert unformatted(rich_text(text)) == text


def test_an_answer_quotes_the_forms_and_the_pictures_and_nothing_else() -> None:
    html = (
        '<style>p{position:fixed}</style><p style="position:fixed;color:red">Dear <i>Vlad</i></p>'
        '<img src="cid:logo@in.example"><img src="https://t.example/pixel">'
        "</blockquote></div><script>x()</script>"
    )
    parsed = ParsedMessage(
        sender=Address('H "<b>" Berg', "hanna@in.example"), date=AT, html=html, text="Dear Vlad"
    )
    quoted = quoting_rich.quoted_answer(parsed, AT, {"logo@in.example": "source-0.png"})
    sheet = quoting_rich.sheet(quoted, "Vlad & Co", "below")
    expect_harmless(sheet.html)
    assert sheet.html.startswith(
        '<div><br></div><div><br></div><div class="la-signature">-- <br>Vlad &amp; Co</div>'
    )
    assert "&lt;b&gt;" in sheet.html
    assert '<blockquote type="cite"><p style="color: red">Dear <i>Vlad</i></p>' in sheet.html
    assert '<img src="cid:source-0.png"><img></blockquote>' in sheet.html
    assert read_rich(sheet.html) == sheet  # it passes its own list unchanged


def test_plain_mail_is_quoted_and_forwarded_in_rich_text_too() -> None:
    parsed = ParsedMessage(sender=Address("", "h@in.example"), date=AT, text="One <b>\n> two")
    answer = quoting_rich.quoted_answer(parsed, AT, {})
    assert '<blockquote type="cite"><div>One &lt;b&gt;</div><blockquote type="cite">' in answer
    forwarded = quoting_rich.forwarded(parsed, AT, {})
    assert "<div>From: h@in.example</div>" in forwarded
    assert "<div>One &lt;b&gt;</div>" in forwarded
    assert quoting_rich.sheet(answer, "", "above").html.startswith("<div>On 24 November")
