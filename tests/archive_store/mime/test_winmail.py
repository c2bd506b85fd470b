"""A winmail.dat is opened: what is in it stands among the parts of the message, as if sent so."""

import random
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from archive_store.mime import rtf
from archive_store.mime.parse import (
    attachment_octets,
    inline_images,
    parse_for_list,
    parse_message,
    read_message,
)
from archive_store.mime.tnef import MOST_FILES, NotTnef, open_tnef
from tests.corpus.winmail import PACKED_RTF, RTF, attribute, file, prop, properties, text, tnef

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
HTML = b'<meta charset="utf-8"><p>Gr\xc3\xbc\xc3\x9fe</p><img src="cid:logo@x">'
FILES = (
    file("ANGEBO~1.PDF", b"%PDF-1.7 offer", text(0x3707, "Angebot März.pdf")),
    file("logo.png", PNG, text(0x3712, "logo@x"), text(0x370E, "image/png")),
)


def mail(content: bytes, words: str = "", name: str = "winmail.dat") -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["Subject"] = "Hanna <hanna@in.example>", "The offer"
    message.set_content(words)
    message.add_attachment(content, maintype="application", subtype="ms-tnef", filename=name)
    message.add_attachment(b"last", maintype="application", subtype="x", filename="last.bin")
    return message.as_bytes()


def names(octets: bytes) -> list[str]:
    return [one.filename for one in parse_message(octets).attachments]


def test_its_files_stand_among_those_of_the_message_and_can_be_had() -> None:
    octets = mail(tnef(*FILES), "See the files.\n")
    parsed = parse_message(octets)
    found = [(one.filename, one.content_type, one.size) for one in parsed.attachments]
    assert found == [
        ("last.bin", "application/x", 4),
        ("Angebot März.pdf", "application/pdf", 14),
        ("logo.png", "image/png", len(PNG)),
    ]
    assert [attachment_octets(octets, n)[1] for n in range(3)] == [b"last", b"%PDF-1.7 offer", PNG]
    assert [one.filename for one in parse_for_list(octets).attachments] == names(octets)


def test_its_text_is_shown_where_the_message_has_none() -> None:
    octets = mail(tnef(*FILES, body=(prop(0x102, 0x1013, HTML), text(0x1000, "Grüße"))))
    parsed = parse_message(octets)
    assert parsed.html is not None
    assert "Grüße" in parsed.html
    assert inline_images(octets) == {"logo@x": PNG}
    plain = parse_message(mail(tnef(body=(text(0x1000, "Grüße"),))))
    assert (plain.text or "").strip() == "Grüße"
    packed = parse_message(mail(tnef(body=(prop(0x102, 0x1009, PACKED_RTF),))))
    assert (packed.text or "").strip() == "hello world"
    old = parse_message(mail(tnef(attribute(1, 0x0002800C, "Grüße\0".encode("cp1252")))))
    assert (old.text or "").strip() == "Grüße"


def test_the_text_of_the_message_comes_first_and_is_not_shown_twice() -> None:
    parsed = parse_message(mail(tnef(*FILES, body=(text(0x1000, "again"),)), "once\n"))
    assert (parsed.text or "").strip() == "once"
    assert "again" not in str(parsed)


def test_a_mail_that_is_nothing_else_is_opened_too() -> None:
    message = EmailMessage(policy=SMTP)
    message["From"] = "hanna@in.example"
    message.set_content(tnef(*FILES), maintype="application", subtype="ms-tnef")
    assert names(message.as_bytes()) == ["Angebot März.pdf", "logo.png"]


def test_a_mail_in_it_is_its_text_and_its_files() -> None:
    inner = tnef(*FILES, body=(text(0x0037, "Before"), text(0x1000, "An older mail")))
    interface = bytes.fromhex("0703020000000000c000000000000046")
    content = tnef(file("x", b"", prop(0x0D, 0x3701, interface + inner)))
    octets = mail(content, "See.\n")
    assert names(octets) == ["last.bin", "Before.txt", "Angebot März.pdf", "logo.png"]
    assert attachment_octets(octets, 1)[1] == b"An older mail"
    for _ in range(20):
        content = tnef(file("x", b"", prop(0x0D, 0x3701, interface + content)))
    assert names(mail(content, "See.\n"))[1:] == ["x"]  # too deep: the octets themselves


def test_what_cannot_be_read_or_holds_nothing_more_stays_the_file_that_it_is() -> None:
    for content in (b"", b"x" * 100, tnef()[:4], tnef(), tnef(body=(text(0x1000, "again"),))):
        assert names(mail(content, "once\n")) == ["winmail.dat", "last.bin"]
    assert names(mail(tnef(*FILES)[:-20], "once\n"))[1] == "Angebot März.pdf"


def test_a_type_that_would_be_taken_apart_is_not_believed() -> None:
    for claimed in ("multipart/mixed", "message/rfc822", "x", "text/html\r\nX: y"):
        octets = mail(tnef(file("a.bin", b"\n\n--x", text(0x370E, claimed))), "See.\n")
        assert parse_message(octets).attachments[1].content_type == "application/octet-stream"


def test_files_without_end_are_cut_off() -> None:
    assert len(open_tnef(tnef(*(file("a", b"x") for _ in range(3 * MOST_FILES)))).files) == 500


def test_broken_octets_break_nothing() -> None:
    numbers, whole = (
        random.Random(5322),
        tnef(
            *FILES,
            body=(prop(0x102, 0x1009, PACKED_RTF), text(0x1000, "x"), prop(0x102, 0x8001, b"y")),
        ),
    )
    for _ in range(3_000):
        octets = bytearray(whole)
        for _ in range(numbers.randrange(1, 6)):
            octets[numbers.randrange(6, len(octets))] = numbers.randrange(256)
        try:
            open_tnef(bytes(octets))
        except NotTnef:
            pytest.fail("it begins as one")
    assert read_message(mail(b"\x78\x9f\x3e\x22" + bytes(50), "x")).attachments


def test_numbers_and_named_properties_are_passed_over() -> None:
    guid = bytes(16)
    named = b"\x1f\x00\x01\x80" + guid + b"\1\0\0\0" + b"\6\0\0\0" + b"a\0b\0\0\0\0\0"
    value = b"\1\0\0\0" + b"\4\0\0\0" + b"z\0\0\0"
    number = b"\x03\x00\x17\x00" + b"\1\0\0\0"
    many = b"\x03\x10\x18\x00" + b"\2\0\0\0" + bytes(8)
    body = properties(number, many, named + value, text(0x1000, "after"))
    assert open_tnef(tnef(attribute(1, 0x00069003, body))).text == b"after"


def test_rtf_is_unpacked_and_its_text_read() -> None:
    assert rtf.unpacked(PACKED_RTF) == RTF
    assert rtf.unpacked(PACKED_RTF[:20]) in RTF
    assert rtf.unpacked(b"x" * 30) == b""
    wrapped = (
        rb"{\rtf1\ansicpg1252\fromhtml1{\fonttbl{\f0 Arial;}}{\*\htmltag64 <p>}"
        rb"\htmlrtf \par\htmlrtf0 "
        rb"Gr\'fc\u223?e \{\'81\}{\*\htmltag72 </p>}\par \u-10179?\u-8704?}"
    )
    assert rtf.text_of(wrapped) == "Grüße {\ufffd}\n😀"
    japanese = rb"{\rtf1\ansicpg932 \'93\'fa\'96\'7b}"
    assert rtf.text_of(japanese) == "日本"
    assert rtf.text_of(b"}" * 100 + b"{" * 100_000 + b"x") == "x"


def test_a_small_stream_does_not_grow_without_end() -> None:
    bomb = b"\0\0\0\1" + b"\xff\xff\xff\x7f" + b"LZFu" + bytes(4) + b"\xff" * 3_000_000
    assert len(rtf.unpacked(bomb)) <= rtf.MOST + 200
