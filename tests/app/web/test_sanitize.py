"""What leaves the sanitiser is of a small language in which nothing acts and nothing fetches.

`check` reads the page again with another parser and holds every element, attribute, address and
style to that language; it is the same for the attacks of the corpus and for generated markup.
"""

import base64
import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.markup.html_balance import MOST_DEPTH, MOST_ELEMENTS, TAGS, VOID, balance
from app.web import sanitize
from app.web.frame import FRAME_CSP, MARK_ON_PAPER
from app.web.sanitize import SafeHtml, raster_type, safe_link, sanitize_html
from tests.corpus.markup import HOSTILE, NEWSLETTER
from tests.corpus.ordinary import PNG

ALLOWED_ATTRIBUTES = {
    *("align", "alt", "bgcolor", "border", "cellpadding", "cellspacing", "class", "color"),
    *("colspan", "dir", "face", "height", "href", "hspace", "id", "lang", "nowrap", "rel"),
    *("rowspan", "size", "span", "src", "start", "style", "target", "title", "type", "valign"),
    *("value", "vspace", "width"),
}
FORBIDDEN_CSS = re.compile(
    r"url|@import|@font|expression|position|behavior|binding|var\(|\\|<|--|image|attr\(|content",
    re.IGNORECASE,
)
FUNCTION = re.compile(r"([A-Za-z-]+)\(")


class Reader(HTMLParser):
    """Collects what breaks the rules in a fragment."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.depth = self.deepest = self.elements = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements += 1
        if tag not in TAGS:
            self.wrong.append(f"<{tag}>")
        if tag not in VOID:
            self.depth += 1
            self.deepest = max(self.deepest, self.depth)
        for name, value in attrs:
            self._attribute(tag, name, value or "")
        names = [name for name, _ in attrs]
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and (given["target"] != "_blank" or "noopener" not in given["rel"]):
            self.wrong.append("a link that could reach back")
        if len(names) != len(set(names)):
            self.wrong.append("an attribute twice")

    def handle_endtag(self, tag: str) -> None:
        self.depth -= 1

    def handle_comment(self, data: str) -> None:
        self.wrong.append("a comment")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append("a declaration")

    def handle_pi(self, data: str) -> None:
        self.wrong.append("an instruction")

    def unknown_decl(self, data: str) -> None:
        self.wrong.append("CDATA")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name not in ALLOWED_ATTRIBUTES:
            self.wrong.append(f"{tag}[{name}]")
        elif name == "href" and not (
            tag == "a" and re.match(r"(?i)(https?://|mailto:|tel:)", value)
        ):
            self.wrong.append(f"href={value}")
        elif name == "src" and not (
            tag == "img"
            and re.match(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$", value)
        ):
            self.wrong.append(f"src={value[:80]}")
        elif name == "style":
            self.wrong += style_problems(value)
        elif name in ("id", "class") and not all(one.startswith("m-") for one in value.split()):
            self.wrong.append(f"{name}={value}")


def style_problems(css: str) -> list[str]:
    found = [f"css {css}"] if FORBIDDEN_CSS.search(css) else []
    functions = set(FUNCTION.findall(css)) - {"rgb", "rgba", "hsl", "hsla", "and", "screen"}
    return found + [f"css function {name}" for name in functions]


def body_of(page: SafeHtml) -> str:
    found = re.search(
        r"<body dir=\"(?:ltr|rtl|auto)\">\n(.*)</body>\n</html>\n\Z", page.document, re.S
    )
    assert found is not None
    return found.group(1)


def sheet_of(page: SafeHtml) -> str:
    """The sender's rules: what follows our own."""
    found = re.search(r"<style>\n(.*?)</style>\n</head>", page.document, re.S)
    assert found is not None
    return found.group(1).split("a { color: #0b57d0 }\n", 1)[1]


def check(page: SafeHtml) -> None:
    reader = Reader()
    reader.feed(body_of(page))
    reader.close()
    assert reader.wrong == []
    assert style_problems(sheet_of(page).replace("-webkit-", "")) == []
    head = page.document.partition("<body")[0]
    assert re.findall(r"<[a-zA-Z/!][^>]*>", head)[:2] == [
        "<!DOCTYPE html>",
        re.findall(r"<html[^>]*>", head)[0],
    ]
    tags = re.findall(r"<([a-zA-Z]+)", head)
    assert tags == ["html", "head", "meta", "meta", "base", "title", "style"]


@pytest.mark.parametrize("name", HOSTILE)
def test_an_attack_leaves_nothing_that_acts_or_fetches(name: str) -> None:
    check(sanitize_html(HOSTILE[name], {}))


@pytest.mark.parametrize("name", HOSTILE)
def test_sanitising_again_changes_nothing_that_matters(name: str) -> None:
    check(sanitize_html(sanitize_html(HOSTILE[name]).document))
    check(sanitize_html(html.unescape(sanitize_html(HOSTILE[name]).document)))


PIECES = st.one_of(
    st.sampled_from([*HOSTILE.values(), NEWSLETTER]),
    st.sampled_from(
        (
            "< > / \" ' = & ; <p <a <svg> </svg> <style> </style> <math> <table> <td> <!-- --> ]]> "
            "<b> </b> </p> href= style= src=cid:x javascript: url( ) { } \\ \0 &lt; &#60; ` on="
        ).split(" ")
    ),
    st.text(max_size=10),
)


@given(st.lists(PIECES, max_size=12).map("".join))
@settings(max_examples=300, deadline=None)
def test_no_markup_at_all_leaves_anything(markup: str) -> None:
    check(sanitize_html(markup, {"x": PNG}))


@given(st.lists(st.sampled_from(sorted(TAGS)), max_size=60), st.data())
@settings(max_examples=100, deadline=None)
def test_what_is_balanced_is_balanced_for_every_nesting(
    tags: list[str], data: st.DataObject
) -> None:
    pieces = [data.draw(st.sampled_from([f"<{tag}>", f"</{tag}>", "x"])) for tag in tags]
    markup = balance("".join(pieces)).markup
    stack: list[str] = []
    for slash, tag in re.findall(r"<(/?)([a-z0-9]+)>", markup):
        if slash:
            assert stack.pop() == tag
        elif tag not in VOID:
            stack.append(tag)
    assert stack == []


def test_a_newsletter_keeps_its_layout() -> None:
    page = sanitize_html(NEWSLETTER, {"hero@shop.example": PNG})
    check(page)
    body, sheet = body_of(page), sheet_of(page)
    assert (
        '<table class="m-card" width="600" align="center" cellpadding="0" cellspacing="0"' in body
    )
    assert 'bgcolor="#ffffff" style="border-collapse: collapse; width: 600px"' in body
    assert 'style="padding: 24px 32px; color: #333333"' in body
    assert "font-family: Arial , Helvetica , sans-serif; font-size: 16px; line-height: 24px" in body
    assert '<font color="#cc0000" size="4">' in body
    assert 'href="https://click.shop.example/?u=1&amp;c=2"' in body
    assert "<ul><li>Coats</li><li>Boots</li></ul>" in body
    assert f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}"' in body
    assert "body { background-color: #eeeeee }" in sheet
    assert "body { margin: 0; padding: 0; background-color: #f4f4f4 }" in sheet
    assert ".m-card, .m-ExternalClass { border-radius: 8px; background-color: #ffffff }" in sheet
    assert "font: bold 24px / 1.2 Georgia , 'Times New Roman' , serif" in sheet
    assert (
        "@media only screen and (max-width: 600px) { .m-card { width: 100% !important } }" in sheet
    )
    assert "prefers-color-scheme" not in sheet  # the page is the sender's white one
    assert page.blocked_images == 2
    assert page.notices == ()
    assert '<html lang="en">' in page.document


def test_pictures_from_elsewhere_are_counted_and_lose_their_address() -> None:
    page = sanitize_html(
        '<img src="http://a/1"><img src="//a/2"><img src=" hTTps://a/3"><img src="x">'
    )
    assert page.blocked_images == 3
    assert "src=" not in body_of(page)


def test_a_picture_from_elsewhere_leaves_its_words_in_its_room() -> None:
    html = (
        '<img src="http://a/1" alt="5 &lt; 6 <b>&quot;off&quot;" width="300" height="50%"'
        ' class="hero" style="display: block" onerror="x()"><img src="cid:a" alt="here">'
    )
    body = body_of(sanitize_html(html, {"a": PNG}))
    assert '<span class="m-unseen m-hero"' in body
    assert "width: 300px; height: 50%; display: block" in body
    assert '5 &lt; 6 &lt;b&gt;"off"</span>' in body
    assert 'alt="here"' in body
    shown = sanitize_html(html, {"a": PNG}, remote=lambda url: "/ours")
    assert "unseen" not in body_of(shown)
    assert shown.blocked_images == 1


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0AVI LIST", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"%PDF-1.4", None),
        (b"", None),
    ],
)
def test_a_picture_is_what_its_first_octets_say(content: bytes, kind: str | None) -> None:
    assert raster_type(content) == kind
    body = body_of(sanitize_html('<img src="cid:a%40b">', {"a@b": content}))
    assert (f'src="data:{kind};base64,' in body) is (kind is not None)


def test_all_pictures_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sanitize, "MOST_PICTURES", 2 * len(PNG))
    body = body_of(sanitize_html("<img src=cid:a>" * 5, {"a": PNG}))
    assert body.count("data:image/png") == 2


@pytest.mark.parametrize(
    ("written", "link"),
    [
        ("https://x.example/?a=1#b", "https://x.example/?a=1#b"),
        (" \thttp://x.example\n", "http://x.example"),
        ("ht\ntps://x.example", "https://x.example"),
        ("mailto:a@x.example?subject=b", "mailto:a@x.example?subject=b"),
        ("tel:+1", "tel:+1"),
        ("https:x.example", None),
        ("//x.example", None),
        ("x.example", None),
        ("#top", None),
        ("javascript://x.example/%0apwned()", None),
        ("https://", None),
        ("https://x.example/" + "a" * 20_000, None),
    ],
)
def test_a_link_goes_to_four_schemes_only(written: str, link: str | None) -> None:
    assert safe_link(written) == link


@pytest.mark.timeout(60)
def test_depth_is_bounded_and_the_text_stays() -> None:
    page = sanitize_html("<div>" * 100_000 + "the text")
    reader = Reader()
    reader.feed(body_of(page))
    assert reader.deepest <= MOST_DEPTH + 1
    flat = sanitize_html("<div>" * 3_000 + "the text")
    assert "the text" in body_of(flat)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "markup",
    [
        "".join(f"<font color=c{n}>" for n in range(250)) + "<p>x" * 40_000,  # opened again in each
        "<b><p>" * 40_000,
        "<table><td>" * 30_000,
        "<a href=http://x.example>" * 40_000,
        "<i></b>" * 40_000,
    ],
)
def test_a_small_message_does_not_become_a_huge_page(markup: str) -> None:
    page = sanitize_html(markup)
    reader = Reader()
    reader.feed(body_of(page))
    assert reader.elements <= 2 * MOST_ELEMENTS + 100
    check(page)


def test_what_is_too_long_is_cut_and_says_so() -> None:
    page = sanitize_html("<p>x</p>" * 400_000)
    assert page.notices == (sanitize.CUT_NOTICE,)
    assert sanitize.CUT_NOTICE in page.document
    short = sanitize_html("<p>x</p>")
    assert short.notices == ()


def test_style_beyond_reason_is_left_out_and_says_so() -> None:
    page = sanitize_html("<style>" + "p { color: red }\n" * 20_000 + "</style><p>x</p>")
    assert page.notices == (sanitize.STYLE_NOTICE,)
    assert "color: red" not in page.document
    assert "<p>x</p>" in page.document


def test_the_direction_of_the_mail_is_kept() -> None:
    assert '<body dir="rtl">' in sanitize_html('<html dir="RTL"><p>مرحبا</p>').document
    assert '<body dir="auto">' in sanitize_html('<html dir="sideways"><p>x</p>').document


def test_the_policy_of_the_frame_has_no_scripts_and_no_fetches() -> None:
    rules = dict(rule.strip().partition(" ")[::2] for rule in FRAME_CSP.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "script-src" not in rules
    assert "allow-scripts" not in rules["sandbox"]
    assert "allow-forms" not in rules["sandbox"]
    assert "allow-top-navigation" not in rules["sandbox"]
    assert rules["form-action"] == rules["base-uri"] == "'none'"


NEEDLES = ("x", "script", "img", "alert(1)", "<", "&", '"', "lt", "style", "nbsp", "a")


@pytest.mark.parametrize("name", HOSTILE)
def test_marks_open_no_way_in(name: str) -> None:
    check(sanitize_html(HOSTILE[name], {}, NEEDLES))


def test_hits_are_marked_in_text_and_nowhere_else() -> None:
    markup = '<p title="Größe">Die Gr&ouml;&szlig;e &lt;b&gt; <b>GROSSE</b> Gr<i>ö</i>ße</p>'
    body = body_of(sanitize_html(markup, {}, ("grosse", "<b>")))
    assert '<p title="Größe">Die <mark>Größe</mark> <mark>&lt;b&gt;</mark> ' in body
    assert "<b><mark>GROSSE</mark></b> Gr<i>ö</i>ße</p>" in body
    assert sanitize_html(markup, {}, ("nothing",)) == sanitize_html(markup)


DISGUISED = '<p>Your <a href="https://evil.net/x" title="bank.com">https://bank.com</a> account</p>'


def test_a_link_that_leads_elsewhere_has_a_mark_that_no_sheet_of_a_sender_hides() -> None:
    hiding = "<style>span, a + span, p span { display: none !important; color: #fff }</style>"
    page = sanitize_html(hiding + DISGUISED)
    check(page)
    mark = f'<span style="{MARK_ON_PAPER}">⚠ evil.net</span>'
    assert f"https://bank.com</a>{mark} account" in body_of(page)
    assert "all: initial !important" in mark
    assert body_of(page).count('title="evil.net/x"') == 1
    assert 'title="bank.com"' not in body_of(page)


def test_the_style_of_a_mark_is_no_senders_to_write() -> None:
    written = body_of(sanitize_html(f'<span style="{MARK_ON_PAPER}">⚠ bank.com</span>'))
    assert "initial" not in written


def test_nothing_within_a_link_says_another_place() -> None:
    inside = '<b title="bank.com">x</b><img alt="x" title="bank.com">'
    body = body_of(sanitize_html(f'<a href="https://evil.net">{inside}</a><i title="fine">y</i>'))
    assert re.findall(r'title="([^"]*)"', body) == ["evil.net", "fine"]


def test_a_mark_is_text_whatever_a_host_is_called() -> None:
    for host in ("<b>.com", '"><script>alert(1)</script>.com', "a&amp;b.com", "\u202eb.com"):
        page = sanitize_html(f"<a href='https://bank.com@{host}/'>https://bank.com</a>")
        check(page)
