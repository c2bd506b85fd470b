"""The text of attached documents: what is read, and what a hostile one costs."""

import io
import sys
import zipfile
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from archive_store.mime import documents, office, understanding, worker
from archive_store.mime.documents import document_text, text_of
from archive_store.mime.office import OfficeError, office_text
from archive_store.mime.summary import folded, sections
from archive_store.mime.understanding import Understanding
from archive_store.mime.worker import ParserPool, PoolLimits

MOST = 1_000


def archive(**members: str) -> bytes:
    """A ZIP; "__" in a name stands for a slash, "_" for a dot."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in members.items():
            written.writestr(name.replace("__", "/").replace("_", "."), content)
    return made.getvalue()


DOCX = archive(
    word__document_xml='<w:document xmlns:w="w"><w:p><w:r><w:t>Größe</w:t></w:r><w:r><w:t> zehn'
    "</w:t></w:r></w:p><w:p><w:instrText>HIDDEN</w:instrText><w:t>Ende</w:t></w:p></w:document>",
    word__footer1_xml='<w:ftr xmlns:w="w"><w:t>Seite</w:t></w:ftr>',
    word__media__image1_xml="<t>not this</t>",
)
XLSX = archive(
    xl__sharedStrings_xml="<sst><si><t>Umsatz</t></si></sst>",
    xl__worksheets__sheet1_xml='<worksheet><row><c t="s"><v>0</v></c><c><v>1234.5</v></c>'
    '<c t="inlineStr"><is><t>Süd</t></is></c></row></worksheet>',
)
PPTX = archive(
    ppt__slides__slide10_xml='<p:sld xmlns:p="p" xmlns:a="a"><a:p><a:t>last</a:t></a:p></p:sld>',
    ppt__slides__slide2_xml='<p:sld xmlns:p="p" xmlns:a="a"><a:p><a:t>first</a:t></a:p></p:sld>',
)
ODT = archive(
    content_xml='<office:document-content xmlns:office="o" xmlns:text="t"><text:p>Die '
    "<text:span>Anlage</text:span></text:p><text:p>zwei</text:p></office:document-content>"
)


def pdf(text: str) -> bytes:
    """A PDF of one page."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    made = b"%PDF-1.4\n"
    places = []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        made
        + b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\n" % (table)
        + b"startxref\n%d\n%%%%EOF\n" % len(made)
    )


PDF = pdf("Angebot Nr. 4711")


def locked() -> bytes:
    made = io.BytesIO()
    with PdfWriter(clone_from=PdfReader(io.BytesIO(PDF))) as writer:
        writer.encrypt("secret", algorithm="AES-256")
        writer.write(made)
    return made.getvalue()


def mail(*files: tuple[str, bytes]) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["Subject"] = "hanna@in.example", "Files"
    message.set_content("See the files.\n")
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="x", filename=name)
    return message.as_bytes()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (DOCX, "Größe zehn Ende Seite"),
        (XLSX, "Umsatz 1234.5 Süd"),
        (PPTX, "first last"),
        (ODT, "Die Anlage zwei"),
        (PDF, "Angebot Nr. 4711"),
        (b"junk before\n" + PDF, "Angebot Nr. 4711"),
        (locked(), ""),
        (archive(other_xml="<t>x</t>"), ""),
        (b"plain", ""),
        (b"", ""),
    ],
)
def test_what_is_written_in_a_document(content: bytes, expected: str) -> None:
    assert " ".join(text_of(content, MOST).split()) == expected


def test_the_documents_of_a_message_are_read_together() -> None:
    octets = mail(("a.docx", DOCX), ("noise.bin", bytes(100)), ("b.pdf", PDF))
    assert document_text(octets) == "Größe zehn Ende Seite Angebot Nr. 4711"
    assert document_text(mail()) == ""


def test_reading_ends_with_enough() -> None:
    long = archive(word__document_xml=f"<w:p xmlns:w='w'><w:t>{'word ' * 10_000}</w:t></w:p>")
    assert len(office_text(long, MOST)) == MOST
    octets = mail(*((f"{n}.docx", long) for n in range(30)))
    assert len(document_text(octets)) <= documents.MOST_TEXT + documents.MOST_DOCUMENTS


def test_an_archive_that_grows_without_end_is_not_unpacked() -> None:
    blanks = "<w:t>First</w:t>" + " " * (office.MOST_READ * 2)
    bomb = archive(word__document_xml=f"<w:p xmlns:w='w'>{blanks}</w:p>")
    assert len(bomb) < 200_000
    assert office_text(bomb, MOST) == "First"


@pytest.mark.parametrize(
    "content",
    [
        archive(word__document_xml='<!DOCTYPE x [<!ENTITY a "b">]><t>&a;</t>'),
        archive(word__document_xml="<unclosed>"),
        DOCX[:-30],
        b"PK\x03\x04 nothing",
    ],
)
def test_what_is_broken_or_declares_entities_is_refused(content: bytes) -> None:
    with pytest.raises(OfficeError):
        office_text(content, MOST)


@given(st.sampled_from([DOCX, XLSX, ODT, PDF]), st.data())
@settings(max_examples=150, deadline=None)
def test_no_broken_document_raises(content: bytes, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        content = content[:at] + data.draw(st.binary(max_size=4)) + content[at + 1 :]
    text_of(content, MOST)


@pytest.fixture(scope="module")
def parser() -> Iterator[ParserPool]:
    with ParserPool(PoolLimits(children=1)) as pool:
        yield pool


def test_words_get_the_text_of_documents_from_a_child_of_its_own(parser: ParserPool) -> None:
    made = Understanding(parser)
    files = [("Größe.docx", DOCX), ("sheet.XLSX", XLSX), ("talk.pptx", PPTX), ("offer.pdf", PDF)]
    batch = [mail(), *(mail(file) for file in files), mail(("picture.png", PDF))]
    try:
        found = made.summaries(batch)
    finally:
        made.close()
    assert [summary for summary, _ in found] == [summary for summary, _ in parser.summaries(batch)]
    texts = [sections(words).get("d", "") for _, words in found]
    assert texts == [
        "",
        "Größe zehn Ende Seite",
        "Umsatz 1234.5 Süd",
        "first last",
        "Angebot Nr. 4711",
        "",  # no name of a document
    ]
    assert b"d\tgrosse zehn" in folded(found[1][1])


HANGS = "import socket, time; s = socket.socket(fileno=0); s.sendall(b'R'); time.sleep(60)"


def test_a_document_that_takes_too_long_costs_its_text_alone(
    monkeypatch: pytest.MonkeyPatch, parser: ParserPool
) -> None:
    octets = mail(("offer.pdf", PDF))
    parser.warm()
    monkeypatch.setattr(worker, "_command", lambda *_: [sys.executable, "-c", HANGS])
    monkeypatch.setattr(understanding, "DOCUMENTS", PoolLimits(children=1, seconds=0.2))
    made = Understanding(parser)
    try:
        assert made.summaries([octets]) == parser.summaries([octets])
    finally:
        made.close()


def test_documents_have_a_time_in_which_to_be_read(
    monkeypatch: pytest.MonkeyPatch, parser: ParserPool
) -> None:
    monkeypatch.setattr(understanding, "BATCH_SECONDS", 0.0)
    made = Understanding(parser)
    [(_, words)] = made.summaries([mail(("offer.pdf", PDF))])
    made.close()
    assert "d" not in sections(words)


def test_a_document_that_takes_too_much_memory_costs_its_text_alone() -> None:
    small = PoolLimits(children=1, memory=1)
    with ParserPool(small, module="archive_store.mime.documents") as pool:
        assert pool.text(mail(("offer.pdf", PDF + bytes(30_000_000)))) == ""
