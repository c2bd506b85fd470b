"""Addresses are taken as RFC 5321 and RFC 6531 write them, and never repaired."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archive_store.address import BadAddress, EmailAddress

ACCEPTED = [
    ("vlad@acme.example", "vlad", "acme.example"),
    ("Vlad.Mazek@ACME.Example", "Vlad.Mazek", "acme.example"),
    ("!#$%&'*+/=?^_`{|}~-@a.example", "!#$%&'*+/=?^_`{|}~-", "a.example"),
    ("root@localhost", "root", "localhost"),
    ("a@1.example", "a", "1.example"),
    ("a@3com.example", "a", "3com.example"),
    ("a@x--y.example", "a", "x--y.example"),
    ('"john doe"@acme.example', "john doe", "acme.example"),
    (r'"a\"b\\c"@acme.example', r'a"b\c', "acme.example"),
    ('"a@b"@acme.example', "a@b", "acme.example"),
    ('".."@acme.example', "..", "acme.example"),
    ('"<>,;:"@acme.example', "<>,;:", "acme.example"),
    ("用户@例子.广告", "用户", "例子.广告"),
    ("jörg@bücher.example", "jörg", "bücher.example"),
    ("θσερ@εχαμπλε.ψομ", "θσερ", "εχαμπλε.ψομ"),
    ("علی\u200cرضا@acme.example", "علی\u200cرضا", "acme.example"),
    ("x" * 100 + "@acme.example", "x" * 100, "acme.example"),  # bounce addresses are that long
]


@pytest.mark.parametrize(("text", "local", "domain"), ACCEPTED)
def test_what_the_grammar_allows_is_taken(text: str, local: str, domain: str) -> None:
    address = EmailAddress.parse(text)
    assert (address.local, address.domain) == (local, domain)
    assert EmailAddress.parse(address.text) == address


REFUSED = [
    "",
    "@",
    "vlad",
    "vlad@",
    "@acme.example",
    " vlad@acme.example",
    "vlad@acme.example ",
    "vlad @acme.example",
    "vlad@ acme.example",
    "vlad@acme.example\r\nRCPT TO:<x@y.example>",
    "vlad@acme.example\n",
    "vl\x00ad@acme.example",
    "vl\x7fad@acme.example",
    "<vlad@acme.example>",
    "vlad@acme.example>",
    "a@b@acme.example",
    ".vlad@acme.example",
    "vlad.@acme.example",
    "vl..ad@acme.example",
    "vl(ad)@acme.example",
    "vl,ad@acme.example",
    "vl:ad@acme.example",
    '""@acme.example',
    '"vlad@acme.example',
    'vlad"@acme.example',
    '"vl"ad"@acme.example',
    '"vlad\\"@acme.example',
    '"vl\nad"@acme.example',
    '"vl\\\nad"@acme.example',
    '"vlad"x@acme.example',
    "vlad@-acme.example",
    "vlad@acme-.example",
    "vlad@acme..example",
    "vlad@.acme.example",
    "vlad@acme.example.",
    "vlad@ac_me.example",
    "vlad@ac me.example",
    "vlad@192.0.2.1",
    "vlad@example.123",
    "vlad@" + "a" * 64 + ".example",
    "vlad@[192.0.2.1]",
    "x" * 250 + "@a.example",
    "ж" * 125 + "@a.example",  # within 254 characters, beyond 254 octets
    "vl\u202ead@acme.example",
    "vl\u200bad@acme.example",
    "vl\u00a0ad@acme.example",
    "vl\u2028ad@acme.example",
    "vl\u0085ad@acme.example",
    "vl\ud800ad@acme.example",
    "vlad@acme\u3002\u3002example",
    "vlad@ac\u200bme.\u202eexample",
    "vlad@😀.example",
    "vlad@\ud800.example",
    "ж..ж@acme.example",
    "ж ж@acme.example",
]


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadAddress) as caught:
        EmailAddress.parse(text)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('"vlad"@acme.example', "vlad@acme.example"),
        (r'"\v\l\a\d"@acme.example', "vlad@acme.example"),
        ('"v lad"@acme.example', '"v lad"@acme.example'),
        (r'"v\"\\"@acme.example', r'"v\"\\"@acme.example'),
        ('"жук"@acme.example', "жук@acme.example"),
    ],
)
def test_quotes_are_kept_only_where_they_are_needed(text: str, written: str) -> None:
    assert EmailAddress.parse(text).text == written


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Vlad@ACME.example", "vlad@acme.EXAMPLE"),
        ('"vlad"@acme.example', "VLAD@acme.example"),
        ("a@bücher.example", "A@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@bücher.example"),
        ("a@bu\u0308cher.example", "a@b\u00fccher.example"),
        ("jo\u0308rg@acme.example", "J\u00d6RG@acme.example"),
        ("a@例子。广告", "a@例子.广告"),
    ],
)
def test_spellings_of_one_mailbox_have_one_key(one: str, other: str) -> None:
    assert EmailAddress.parse(one).key == EmailAddress.parse(other).key


def test_different_mailboxes_have_different_keys() -> None:
    texts = ["a@x.example", "b@x.example", "a@y.example", "a.b@x.example", '"a b"@x.example']
    assert len({EmailAddress.parse(text).key for text in texts}) == len(texts)


def test_the_key_is_ascii_in_its_domain_and_the_text_keeps_the_script() -> None:
    address = EmailAddress.parse("Info@Bücher.example")
    assert address.text == "Info@bücher.example"
    assert address.key == "info@xn--bcher-kva.example"
    assert address.ascii_domain == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("a@[192.0.2.1]", "[192.0.2.1]"),
        ("a@[IPv6:2001:DB8:0::1]", "[IPv6:2001:db8::1]"),
        ("a@[ipv6:::1]", "[IPv6:::1]"),
    ],
)
def test_an_address_literal_is_taken_where_it_is_wanted(text: str, domain: str) -> None:
    assert EmailAddress.parse(text, literals=True).domain == domain
    with pytest.raises(BadAddress):
        EmailAddress.parse(text)


@pytest.mark.parametrize(
    "literal",
    ["[]", "[192.0.2.1", "[192.0.2]", "[192.0.2.1]]", "[[192.0.2.1]", "[2001:db8::1]",
     "[IPv6:]", "[IPv6:fe80::1%eth0]", "[300.1.1.1]", "[foo:bar]", "[192.0.2.1]x"],
)  # fmt: skip
def test_a_malformed_address_literal_is_refused(literal: str) -> None:
    with pytest.raises(BadAddress):
        EmailAddress.parse("a@" + literal, literals=True)


@given(st.text(max_size=40))
@example("a@b\r\nc")
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    for candidate in (text, text + "@acme.example", "vlad@" + text):
        try:
            address = EmailAddress.parse(candidate, literals=True)
        except BadAddress:
            continue
        assert EmailAddress.parse(address.text, literals=True) == address
        assert not set(address.text) & {"\r", "\n", "\0"}
        assert EmailAddress.parse(address.key, literals=True).key == address.key


@given(st.text(alphabet='aB."\\@ <>ж', min_size=1, max_size=12))
def test_a_quoted_local_part_survives_being_written_and_read(local: str) -> None:
    written = EmailAddress(local, "acme.example").text
    assert EmailAddress.parse(written).local == local
