"""A message on paper: its head above its text, under the policy of the frame."""

from dataclasses import replace

from app.web.frame import FRAME_CSP
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

PRINT = f"/mail/inbox/{sample.entry_id(1)}/print"


def test_it_has_head_and_text_and_nothing_else(vlad: Client, world: World) -> None:
    answer = vlad.get(PRINT)
    assert answer.headers["content-security-policy"] == FRAME_CSP
    page = answer.text
    head, text = page.index('<section id="print-head"'), page.index("Thank you Vlad")
    assert page.index("<body") < head < page.index("</section>") < text
    for words in ("Purchase order 4471", "Lars Holm", "PO-4471 signed.pdf", "&lt;hanna.berg@"):
        assert words in page[head:text]
    assert "<script" not in page
    assert "<nav" not in page
    assert ("open_message", sample.entry_id(1)) in world.reading.calls, "an access like any other"


def test_a_hostile_head_is_text_and_a_hostile_style_does_not_reach_it(
    vlad: Client, world: World
) -> None:
    letter = world.reading.letters[0]
    html = (
        '<style>#print-head, section { display: none !important }</style><p id="print-head">x</p>'
    )
    parsed = replace(letter.parsed, html=html, sender=sample.Address("<script>", "<b>@x"))
    row = replace(letter.row, subject="</section><script>alert(1)</script>")
    world.reading.letters[0] = replace(letter, parsed=parsed, row=row)
    page = vlad.get(PRINT).text
    assert "<script" not in page
    assert page.count('id="print-head"') == 1
    assert "#m-print-head" in page
