"""Letters as readers that are not ours take them apart: Python's newer policy, a parser in Rust.

What is asked of both: every recipient and name, the subject, both texts whole, each file with its
name and its octets. And of the octets: what any server on the way takes (RFC 5321 section 4.5.3).
"""

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from fast_mail_parser import parse_email

from app.sending.addressees import read_list
from app.sending.compose import File, Letter, compose
from app.sending.rich import read_rich
from archive_store.mime.flowed import unflow
from tests.app.sending.test_compose import PLAIN
from tests.corpus.ordinary import PNG

PICTURE = "picture-0123456789abcdef.png"
SUBJECTS = (
    "Lunch",
    "Ärger mit Größen, 'quotes' and \"more\"",
    "会議の資料を添付します" * 8,
    "مرفق الملف " * 12,
    "🎉 Emoji 👩‍👩‍👧‍👦 at the end of a rather long subject that has to be folded more than once 🎉",
    "=?utf-8?q?not_an_encoded_word?=",
    "word " * 60,
)
NAMES = (
    "plan.png",
    "Größe, 'a' \"b\".txt",
    "会議資料.pdf",
    "ملف المرفق.docx",
    "🎉.txt",
    "a" * 180 + ".txt",
    "semi;colon=and%20percent.txt",
)
TEXTS = (
    "At noon.\n",
    "Grüße aus Köln\n\n> zitiert\n\n-- \nVlad\n",
    "日本語の本文です。\n" * 40,
    "مرحبا بالعالم\n",
    "x" * 5_000 + "\n",
    "ä" * 5_000 + "\n",
    "From the start\n.\n..dots\n",
)
LETTERS = [
    (SUBJECTS[n % len(SUBJECTS)], NAMES[n % len(NAMES)], TEXTS[n % len(TEXTS)], rich)
    for n in range(7)
    for rich in (False, True)
]


def written(subject: str, name: str, text: str, *, rich: bool) -> Letter:
    html = ""
    if rich:
        found = read_rich(f'<p><b>{text}</b></p><img src="cid:{PICTURE}" alt="A">')
        assert found is not None
        html = found.html
    pictures = (File(PICTURE, "image/png", PNG),) if rich else ()
    return replace(
        PLAIN,
        to=read_list('"Lee, Bruce" <lee@kung.example>, Jörg Grün <joerg@in.example>'),
        subject=subject,
        text=text,
        html=html,
        files=(*pictures, File(name, "application/pdf", bytes(range(256)))),
    )


@pytest.mark.parametrize(("subject", "name", "text", "rich"), LETTERS, ids=range(len(LETTERS)))
def test_what_was_written_is_what_others_read(
    subject: str, name: str, text: str, *, rich: bool
) -> None:
    octets = compose(written(subject, name, text, rich=rich))
    assert octets.isascii()
    assert all(len(line) <= 998 and b"\n" not in line for line in octets.split(b"\r\n"))
    by_python(octets, subject, name, text, rich=rich)
    by_rust(octets, subject, text, rich=rich)


def by_python(octets: bytes, subject: str, name: str, text: str, *, rich: bool) -> None:
    message = message_from_bytes(octets, policy=default)
    assert isinstance(message, EmailMessage)
    assert not [defect for part in message.walk() for defect in part.defects]
    assert " ".join(message["Subject"].split()) == " ".join(subject.split())
    assert [(one.display_name, one.addr_spec) for one in message["To"].addresses] == [
        ("Lee, Bruce", "lee@kung.example"),
        ("Jörg Grün", "joerg@in.example"),
    ]
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_param("format") == "flowed"
    read = body.get_content().replace("\r\n", "\n")
    assert unflow(read, delsp=False).strip() == text.strip()
    [file] = [part for part in message.iter_attachments() if part.get_filename() != PICTURE]
    kept = file.get_filename()
    assert kept is not None
    assert kept.rpartition(".")[2] == name.rpartition(".")[2]
    assert file.get_content() == bytes(range(256))
    if rich:
        html = message.get_body(("html",))
        assert html is not None
        assert "<b>" in html.get_content()
        [picture] = [part for part in message.walk() if part.get_content_type() == "image/png"]
        assert f'"cid:{picture["Content-ID"].strip("<>")}"' in html.get_content()
        assert picture.get_content() == PNG


def by_rust(octets: bytes, subject: str, text: str, *, rich: bool) -> None:
    mail = parse_email(octets)
    assert " ".join(mail.subject.split()) == " ".join(subject.split())
    [plain] = mail.text_plain
    assert unflow(plain.replace("\r\n", "\n"), delsp=False).strip() == text.strip()
    assert len(mail.text_html) == int(rich)
    assert bytes(range(256)) in [bytes(file.content) for file in mail.attachments]
