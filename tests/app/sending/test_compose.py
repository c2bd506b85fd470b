"""Messages as octets, read by the standard library's parser: it is not ours."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sending.addressees import Addressee, read_list
from app.sending.compose import File, Letter, compose, new_message_id
from archive_store.address import EmailAddress
from archive_store.mime.parse import parse_message

HOSTILE = (
    "x\r\nBcc: evil@evil.example",
    "x\n\nbody",
    "x\rBcc: evil@evil.example",
    "x\x0bBcc: evil@evil.example\x0c",
    "x\x85Bcc: evil@evil.example",
    "x\u2028Bcc: evil@evil.example\u2029",
    "x\x00\x1b[31m",
    "=?utf-8?q?x=0D=0ABcc:_evil=40evil.example?=",
    "\ud800 lone surrogate",
    "a" * 3000,
    "ä" * 3000,
    "word " * 500,
)
NAMES = {"Date", "From", "To", "Cc", "Subject", "Message-ID", "In-Reply-To", "References"}
MIME = {"MIME-Version", "Content-Type", "Content-Transfer-Encoding"}
PLAIN = Letter(
    sender=Addressee("Vlad", EmailAddress.parse("vlad@acme.example")),
    to=read_list("Hanna Berg <hanna@in.example>"),
    cc=(),
    subject="Lunch",
    text="At noon.\n",
    date=datetime(2026, 11, 24, 8, 51, tzinfo=UTC),
    message_id="<1@acme.example>",
)


def read(letter: Letter) -> EmailMessage:
    octets = compose(letter)
    header, _, _ = octets.partition(b"\r\n\r\n")
    for line in octets.split(b"\r\n"):
        assert b"\r" not in line
        assert b"\n" not in line
        assert len(line) <= 998
    # Every line of the header begins a field that we write, or goes on with one.
    for line in header.split(b"\r\n"):
        assert line.startswith(b" ") or line.partition(b":")[0].decode() in NAMES | MIME
    message = message_from_bytes(octets, policy=default)
    assert isinstance(message, EmailMessage)
    assert set(message.keys()) <= NAMES | MIME
    assert len(message.keys()) == len(set(message.keys()))
    assert not message.defects
    return message


def addresses(message: EmailMessage, name: str) -> list[tuple[str, str]]:
    found: tuple[Address, ...] = message[name].addresses
    return [(one.display_name, one.addr_spec) for one in found]


def test_a_plain_letter() -> None:
    message = read(PLAIN)
    assert message["Date"].datetime == PLAIN.date
    assert addresses(message, "From") == [("Vlad", "vlad@acme.example")]
    assert addresses(message, "To") == [("Hanna Berg", "hanna@in.example")]
    assert message["Subject"] == "Lunch"
    assert message["Message-ID"] == "<1@acme.example>"
    assert message.get_content_type() == "text/plain"
    assert message["Content-Type"].params["format"] == "flowed"
    assert message.get_content() == "At noon.\r\n"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_typed_ends_a_field(hostile: str) -> None:
    letter = replace(
        PLAIN,
        sender=Addressee(hostile, PLAIN.sender.address),
        to=(Addressee(hostile, EmailAddress.parse("hanna@in.example")), *PLAIN.to),
        cc=(Addressee(hostile, EmailAddress.parse("c@d.example")),),
        subject=hostile,
        text=hostile,
        in_reply_to=hostile,
        references=(hostile, f"<{hostile}@b.example>", "<ok@b.example>"),
        files=(
            File(hostile, hostile, b"octets"),
            File("b.txt", f"text/{hostile}", b"o"),
            File(hostile, "message/rfc822", b"From: a@b.example\r\n\r\nx\r\n"),
            File(hostile, f"message/rfc822\r\nX: {hostile}", b"o"),
        ),
    )
    message = read(letter)
    assert [spec for _, spec in addresses(message, "From")] == ["vlad@acme.example"]
    assert len(addresses(message, "To")) == 2
    assert message["References"] == "<ok@b.example>"
    assert "In-Reply-To" not in message
    parts = list(message.iter_attachments())
    assert len(parts) == 4
    for part in parts:
        assert set(part.keys()) <= {*MIME, "Content-Disposition"}
    assert {part.get_content_type() for part in parts[:2]} <= {
        "application/octet-stream",
        "text/plain",
    }
    assert parts[2].get_content_type() == "message/rfc822"
    assert parts[3].get_content_type() == "application/octet-stream"


@settings(max_examples=60, deadline=None)  # a busy machine
@given(st.text(max_size=300), st.text(max_size=120))
def test_subject_and_names_come_back_as_they_went(subject: str, name: str) -> None:
    names = [f"{name} {n}" for n in range(4)]
    letter = replace(
        PLAIN,
        subject=subject,
        to=tuple(
            Addressee(one, EmailAddress.parse(f"a{n}@b.example")) for n, one in enumerate(names)
        ),
    )
    message = read(letter)
    assert [spec for _, spec in addresses(message, "To")] == [f"a{n}@b.example" for n in range(4)]
    parsed = parse_message(compose(letter))
    shown = parse_message(compose(replace(letter, subject=parsed.subject)))
    assert shown.subject == parsed.subject


def test_a_name_with_a_comma_stays_one_recipient_in_a_long_list() -> None:
    people = tuple(
        Addressee(f"Berg, Hanna {n:02}", EmailAddress.parse(f"h{n:02}@in.example"))
        for n in range(40)
    )
    message = read(replace(PLAIN, to=people))
    assert addresses(message, "To") == [
        (f"Berg, Hanna {n:02}", f"h{n:02}@in.example") for n in range(40)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Hällo Wörld\n" * 3,
        "日本語のとても長い文章" * 40,
        "From here\n.dot\n\n-- \nVlad",
        "a" * 5000,
        "long " * 300 + "end",
        "> quoted " * 50,
        "tab\there",
        "trailing   \nblanks \n",
    ],
)
def test_text_comes_back_as_it_went_and_is_seven_bit(text: str) -> None:
    octets = compose(replace(PLAIN, text=text))
    assert octets.isascii()
    lines = [line if line == "-- " else line.rstrip(" ") for line in text.rstrip("\n").split("\n")]
    assert parse_message(octets).text == "\n".join(lines)


@pytest.mark.parametrize(
    "name",
    [
        "plain.pdf",
        "Angebot März 2026.pdf",
        "日本語のとても長いファイル名" * 4 + ".pdf",
        "a b;c=d'e%20.pdf",
        "x" * 170 + ".pdf",
        "=?utf-8?q?x?=.pdf",
    ],
)
def test_a_file_keeps_its_name_and_octets(name: str) -> None:
    content = bytes(range(256)) * 100
    message = read(replace(PLAIN, files=(File(name, "application/pdf", content),)))
    [part] = message.iter_attachments()
    shown = name.replace("?", "_")  # which no Windows takes
    assert (part.get_filename() or "").startswith(shown[:50])
    assert (part.get_filename() or "").endswith(".pdf")
    assert part.get_content_type() == "application/pdf"
    assert part.get_content() == content
    [ours] = parse_message(compose(replace(PLAIN, files=(File(name, "x/y", b""),)))).attachments
    assert ours.filename == part.get_filename()


@pytest.mark.parametrize("claimed", ["message/partial", "multipart/mixed", "nonsense", "a/b/c", ""])
def test_a_type_with_structure_of_its_own_is_sent_as_octets(claimed: str) -> None:
    message = read(replace(PLAIN, files=(File("a.eml", claimed, b"Subject: x\r\n\r\n"),)))
    [part] = message.iter_attachments()
    assert part.get_content_type() == "application/octet-stream"
    assert part.get_content() == b"Subject: x\r\n\r\n"


def test_nobody_named_is_said_as_an_empty_group() -> None:
    message = read(replace(PLAIN, to=()))
    assert message["To"].groups[0].display_name == "undisclosed-recipients"
    assert message["To"].addresses == ()


def test_a_thread_is_cut_in_the_middle() -> None:
    chain = tuple(f"<{n}@a.example>" for n in range(60))
    message = read(replace(PLAIN, references=chain, in_reply_to="<last@a.example>"))
    kept = message["References"].split()
    assert (len(kept), kept[0], kept[-1]) == (20, "<0@a.example>", "<last@a.example>")
    assert message["In-Reply-To"] == "<last@a.example>"


def test_an_internationalised_address_is_said_to_need_smtputf8() -> None:
    letter = replace(PLAIN, to=read_list("Пётр <пётр@пример.example>"))
    assert letter.needs_smtputf8
    assert not PLAIN.needs_smtputf8
    assert "<пётр@xn--e1afmkfd.example>".encode() in compose(letter)


def test_a_message_id_names_the_domain_and_no_machine() -> None:
    sender = Addressee("", EmailAddress.parse("x@bücher.example"))
    one, other = new_message_id(sender), new_message_id(sender)
    assert one != other
    assert one.endswith("@xn--bcher-kva.example>")
