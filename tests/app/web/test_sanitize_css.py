"""Style of a stranger: what stays, and that the rest goes."""

import pytest

from app.markup.css_filter import LONGEST_STYLE, declarations, sheet


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("color:red", "color: red"),
        ("COLOR:#FfF;Margin:0 -1.5em .5px 10%", "color: #FfF; margin: 0 -1.5em .5px 10%"),
        ("color:rgb(1,2,3)", "color: rgb(1 , 2 , 3)"),
        (
            "color:hsla(120deg 10% 10% / .5)!important",
            "color: hsla(120deg 10% 10% / .5) !important",
        ),
        ('font:12px/1.5 "Segoe UI",Arial', "font: 12px / 1.5 'Segoe UI' , Arial"),
        ("font-family:'ＭＳ Ｐゴシック'", "font-family: 'ＭＳ Ｐゴシック'"),
        ("color:red;background:url(x) #fff no-repeat", "color: red; background-color: #fff"),
        ("a:b;;;color:red;}color:blue", "color: red"),
        ("color:red/**/;/*x*/width:/**/1px", "color: red; width: 1px"),
        ("", ""),
    ],
)
def test_what_stays_is_written_anew(written: str, kept: str) -> None:
    assert declarations(written) == kept


@pytest.mark.parametrize(
    "written",
    [
        "position:fixed",
        "position:absolute",
        "z-index:9",
        "top:0",
        "background:url(x)",
        "background:URL('x')",
        "background-image:url(x)",
        "background:image-set('x' 1x)",
        "background:linear-gradient(red,blue)",
        "width:calc(1px + 1px)",
        "width:min(1px,2px)",
        "width:expression(alert(1))",
        "color:var(--a)",
        "--a:red",
        "color:re\\64",
        "col\\6fr:red",
        "font-family:'a\\'b'",
        "font-family:'a;b'",
        "font-family:'</style>'",
        "color:rgb(url(x))",
        "color:rgb(1,2,attr(x))",
        "content:'x'",
        "animation:x 1s",
        "transform:scale(99)",
        "filter:blur(1px)",
        "cursor:url(x)",
        "behavior:url(x)",
        "-moz-binding:url(x)",
        "height:99999px",
        "height:1e5px",
        "width:1zz",
        "color:#xyz",
        "color:'red'",
        "color:[red]",
        "color:{red}",
        "color:(red)",
        "color:U+26",
        "color:<!--red",
        "color:red;".rjust(LONGEST_STYLE + 1),
    ],
)
def test_what_could_fetch_cover_or_hide_goes(written: str) -> None:
    assert declarations(written) == ""


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("p{color:red}", "p { color: red }"),
        ("P.Note#x > a:hover,td *{color:red}", "p.m-Note#m-x > a:hover, td * { color: red }"),
        ("a[href]{color:red}b{color:red}", "b { color: red }"),
        ("a[href],b{color:red}", "b { color: red }"),
        ("p::before{color:red}", ""),
        ("p:not(a){color:red}", ""),
        (":root{color:red}", ""),
        (".a\\3c b{color:red}", ""),
        ("p{position:fixed}", ""),
        ("@import 'x';p{color:red}", "p { color: red }"),
        ("@import url(x)", ""),
        ("@font-face{font-family:x;src:url(x)}", ""),
        ("@page{margin:0}@keyframes x{from{color:red}}", ""),
        ("@media print{p{color:red}}", "@media print { p { color: red } }"),
        (
            "@media only screen and (max-width:600px){.a{width:100%!important}}",
            "@media only screen and (max-width: 600px) { .m-a { width: 100% !important } }",
        ),
        ("@media (prefers-color-scheme:dark){p{color:red}}", ""),
        ("@media screen{@media print{p{color:red}}@import 'x';}", ""),
        ("@media (max-width:expression(1)){p{color:red}}", ""),
        ("@supports (a:b){p{color:red}}", ""),
        ("<!-- p{color:red} -->", "p { color: red }"),
        ("p{color:red", "p { color: red }"),
        ("}}p{color:red}", ""),
        ("p{color:red;a{color:blue}}", "p { color: red }"),
    ],
)
def test_a_sheet_keeps_plain_rules(written: str, kept: str) -> None:
    assert sheet(written) == kept


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "unit", ["(", "{", "[", "a{", "@media{", "a,", "/*", "'", "\\", "url(", "a:"]
)
def test_a_flood_is_read_to_its_end(unit: str) -> None:
    assert "(" not in sheet(unit * (40_000 // len(unit)))
