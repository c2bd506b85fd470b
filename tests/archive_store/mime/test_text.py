"""The text of headers and bodies: charsets, encoded words, parameters, flowed text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_store.mime import charsets, clean
from archive_store.mime.encoded import decode_raw, decode_words
from archive_store.mime.flowed import unflow
from archive_store.mime.params import split_value
from archive_store.mime.transfer import decode_base64, decode_body, decoded_size


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("utf-8", "utf-8", "Grüße 日本"),
        ("UTF8", "utf-8", "Grüße"),
        ("iso-8859-1", "cp1252", "“smart” – €"),  # as every browser reads it
        ("windows-1256", "cp1256", "مرحبا"),
        ("iso-8859-8-i", "iso8859_8", "שלום"),
        ("koi8-r", "koi8-r", "Привет"),
        ("gb2312", "gb18030", "镕基 €"),  # beyond GB 2312, as senders do
        ("GB18030", "gb18030", "𠀀中文"),
        ("big5", "big5hkscs", "中文"),
        ("ks_c_5601-1987", "cp949", "안녕 똠"),
        ("shift_jis", "cp932", "会議①"),
        ("iso-2022-jp", "iso2022_jp", "会議"),
        ("iso-2022-kr", "iso2022_kr", "안녕"),
        ("tis-620", "cp874", "สวัสดี"),
        ("utf-16le", "utf-16-le", "wide"),
        ('"utf-8"', "utf-8", "é"),
    ],
)
def test_a_charset_is_read_as_its_users_mean_it(label: str, codec: str, text: str) -> None:
    assert charsets.decode(text.encode(codec), label) == text


def test_the_vendors_characters_in_iso_2022_jp_are_read() -> None:
    # Row 13 of NEC and halfwidth katakana: no codec of Python takes both.
    octets = b"\x1b$B2q5D-!\x1b(B ok \x1b(I1\x1b(B"
    assert charsets.decode(octets, "iso-2022-jp") == "会議① ok ｱ"


@pytest.mark.parametrize("label", ["utf-7", "zip", "rot13", "idna", "unicode_escape", "x" * 999])
def test_what_is_no_charset_of_mail_is_not_decoded_as_one(label: str) -> None:
    assert not charsets.known(label)
    assert charsets.decode(b"\\u0041 +AGE- x", label) == "\\u0041 +AGE- x"


def test_octets_without_a_charset_are_utf_8_or_else_windows_1252() -> None:
    assert charsets.decode("é€".encode()) == "é€"
    assert charsets.decode(b"caf\xe9 \x80 and more") == "café € and more"


def test_a_text_cut_within_a_character_stays_utf_8() -> None:
    assert charsets.decode("äöü€".encode()[:-1]) == "äöü\ufffd"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?a_b=3F?=", "a b?"),
        ("=?utf-8?B?w6k=?= =?utf-8?Q?=C3=A9?=", "éé"),  # the blank between goes
        ("=?utf-8?q?a?= and =?utf-8?q?b?=", "a and b"),
        ("=?utf-8?b?w?= =?utf-8?b?6k=?=", "\ufffd"),  # cut within base64: beyond repair
        ("=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "é"),  # a character cut between two words
        ("=?iso-8859-1*de?Q?Gr=FC=DFe?=", "Grüße"),
        ("=?x-nothing?Q?caf=C3=A9?=", "café"),
        ("=?utf-8?Q?with a blank?=", "with a blank"),
        ("=?utf-8?Q?never ended", "=?utf-8?Q?never ended"),
        ("=?utf-8?Q?lost =?utf-8?Q?found?=", "=?utf-8?Q?lost found"),
        ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
        ("(=?utf-8?Q?a?=)", "(a)"),
    ],
)
def test_encoded_words(written: str, text: str) -> None:
    assert decode_words(written) == text


def test_folded_lines_are_joined() -> None:
    assert decode_raw(b" one\r\n two\n\tthree ") == "one two\tthree"


@pytest.mark.parametrize(
    ("value", "parameters"),
    [
        ('a/b; name="x;y.txt"', {"name": "x;y.txt"}),
        (r'a/b; name="say \"hi\".txt"', {"name": 'say "hi".txt'}),
        ("a/b; name=two words.txt", {"name": "two words.txt"}),
        ("a/b; charset=us-ascii (comment)", {"charset": "us-ascii"}),
        ("a/b; name*=iso-8859-1'de'Gr%FC%DFe", {"name": "Grüße"}),
        ("a/b; name*0*=utf-8''%C3; name*1*=%A9; name*2=.txt", {"name": "é.txt"}),
        ("a/b; name*1=b; name*0=a; name*3=d", {"name": "ab"}),  # 2 is missing
        ("a/b; name=old.txt; name*=utf-8''new.txt", {"name": "new.txt"}),
        ("a/b; name==?utf-8?Q?caf=C3=A9?=", {"name": "café"}),
        ('a/b; name="=?utf-8?Q?caf=C3=A9?="', {"name": "café"}),
        ('a/b; name="never closed', {"name": "never closed"}),
        ("a/b; name=first; name=second", {"name": "first"}),
        ("a/b; ; =x; name=y", {"name": "y"}),
    ],
)
def test_parameters(value: str, parameters: dict[str, str]) -> None:
    assert split_value(value, 64) == ("a/b", parameters)


def test_no_more_parameters_are_read_than_the_limit() -> None:
    many = "a/b" + "".join(f"; p{n}=x" for n in range(1_000))
    assert len(split_value(many, 64)[1]) == 64


@pytest.mark.parametrize(
    ("written", "content"),
    [
        (b"aGVsbG8=", b"hello"),
        (b"aGVsbG8", b"hello"),
        (b"aGVs\r\nbG8=\r\n", b"hello"),
        (b"aGVsbG8=d29ybGQ=", b"helloworld"),  # two runs
        (b"aG!V s*b-G8", b"hello"),
        (b"a", b""),
        (b"====", b""),
        (b"", b""),
    ],
)
def test_base64_is_read_leniently(written: bytes, content: bytes) -> None:
    assert decode_base64(written) == content


def test_a_limit_holds_for_every_encoding() -> None:
    for encoding in ("base64", "quoted-printable", "x-uuencode", "8bit"):
        assert len(decode_body(b"QUFB" * 1_000, encoding, 10)) == 10


def test_the_size_of_base64_is_known_without_decoding_it() -> None:
    written = b"aGVsbG8g\r\nd29ybGQ=\r\n"
    assert decoded_size(written, 0, len(written), "base64") == len(decode_base64(written)) == 11


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("one \ntwo \nthree\nfour", "one two three\nfour"),
        ("> a \n> b\nc", "> a b\nc"),
        (">> a \n> b", ">> a \n> b"),  # another depth is another paragraph
        (" >not quoted", ">not quoted"),  # space-stuffed
        ("end\n-- \nName", "end\n-- \nName"),
    ],
)
def test_flowed_lines_are_joined(written: str, text: str) -> None:
    assert unflow(written, delsp=False) == text


def test_delsp_takes_the_blank_away_as_asian_text_needs() -> None:
    assert unflow("日本 \n語", delsp=True) == "日本語"


def test_names_have_nothing_in_them_that_hides_or_reorders() -> None:
    assert clean.name("boss\u202e\u200b @x\r\n\u00ad") == "boss @x"
    assert clean.line("a\x00b\u2028c\u202ed") == "a b cd"
    assert clean.block("a\r\nb\rc\x00\x85d\u2029e\tf") == "a\nb\ncd\ne\tf".replace("cd", "c\nd")


ASCII = st.text(st.sampled_from([*map(chr, range(128))]) | st.sampled_from("\r\n \t"), max_size=60)


@given(ASCII)
def test_ascii_is_cleaned_as_any_other_text(text: str) -> None:
    # One letter that is not ASCII takes the way of all other text.
    assert clean.block(text) + "é" == clean.block(text + "é")
    assert clean.collapsed(f"{text} é") == f"{clean.collapsed(text)} é".strip()
    assert clean.collapsed(text) == " ".join(text.split())
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", clean.block(text))
