"""Recipients as typed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sending.addressees import BadList, read_list, write_list


def read(text: str) -> list[tuple[str, str]]:
    return [(one.name, one.wire) for one in read_list(text)]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("a@b.example", [("", "a@b.example")]),
        ("<a@b.example>", [("", "a@b.example")]),
        ("Hanna Berg <h@in.example>", [("Hanna Berg", "h@in.example")]),
        ("a@b.example, c@d.example;e@f.example", [("", x) for x in
         ("a@b.example", "c@d.example", "e@f.example")]),
        ("a@b.example\nc@d.example\r\n", [("", "a@b.example"), ("", "c@d.example")]),
        ('"Lee, Bruce; the \\"Dragon\\"" <lee@k.example>',
         [('Lee, Bruce; the "Dragon"', "lee@k.example")]),
        ("O'Neill <o@n.example>", [("O'Neill", "o@n.example")]),
        ('5" Disk <d@n.example>', [('5" Disk', "d@n.example")]),
        ("Jürgen <j@bücher.example>", [("Jürgen", "j@xn--bcher-kva.example")]),
        ('"a b"@c.example', [("", '"a b"@c.example')]),
        ("a@b.example, A@B.Example", [("", "a@b.example")]),
        ("a@b.example,, ;", [("", "a@b.example")]),
        ("", []),
        ("Ev\u202eil\x00 \x07Name <a@b.example>", [("Evil Name", "a@b.example")]),
    ],
)  # fmt: skip
def test_what_is_taken(typed: str, expected: list[tuple[str, str]]) -> None:
    assert read(typed) == expected


@pytest.mark.parametrize(
    "typed",
    [
        "hanna",
        "Berg, Hanna <h@in.example>",
        "a@b@c",
        "a@[192.0.2.1]",
        '"never closed <a@b.example>',
        "<>",
        "x <>",
        "a@b.example c@d.example",
        "a@b..example",
        "a\x00b@c.example",
        "a@b.example\x0bBcc: c@d.example",
    ],
)
def test_what_is_refused(typed: str) -> None:
    with pytest.raises(BadList):
        read_list(typed)


def test_what_is_wrong_is_said_in_words_for_who_typed_it() -> None:
    with pytest.raises(BadList, match="“not one” is no e-mail address: it has no @ sign"):
        read_list("hanna@in.example, not one")


def test_a_list_with_a_control_in_an_address_adds_no_recipient() -> None:
    with pytest.raises(BadList):
        read_list("a@b.example>\r\nBcc: <c@d.example")


@settings(deadline=None)  # a busy machine
@given(st.text(max_size=60))
def test_any_name_survives_being_written_and_read(name: str) -> None:
    [one] = read_list(write_list([(name, "a@b.example")]))
    assert one.wire == "a@b.example"
    [again] = read_list(write_list([(one.name, "a@b.example")]))
    assert again == one


@settings(deadline=None)  # a busy machine
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read_list(text)
    except BadList:
        return
    for one in found:
        assert one.wire.isprintable()
        assert "\n" not in one.name
