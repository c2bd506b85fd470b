"""Pictures, papers and invitations: each is what its content type says, told from its octets."""

import io
import re
import struct
import subprocess
import zipfile
import zlib
from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from app.demo.traffic import orders, pictures
from app.demo.traffic.calendar import BERLIN, Invitation, berlin, invitation_ics
from app.demo.traffic.correspondents import ACME_FIRM, LAWYERS_FIRM
from app.demo.traffic.documents import (
    Item,
    Paper,
    letter_pdf,
    money,
    paper_pdf,
    sheet_xlsx,
    ticket_pdf,
)
from app.demo.traffic.letter import Times, flow
from app.demo.traffic.pdf import Document, width_of
from app.demo.traffic.raster import Canvas, box
from tests.parts.needs import program

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and unfiltered rows of an 8-bit RGB picture whose rows use filter 2 (Up)."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, place = [], 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        kind, body = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        (crc,) = struct.unpack(">I", png[place + 8 + length : place + 12 + length])
        assert crc == zlib.crc32(kind + body)
        chunks.append((kind, body))
        place += 12 + length
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, *form = struct.unpack(">IIBBBBB", chunks[0][1])
    assert form == [8, 2, 0, 0, 0]
    packed = zlib.decompress(chunks[1][1])
    assert len(packed) == height * (1 + width * 3)
    rows, before = [], bytes(width * 3)
    for start in range(0, len(packed), 1 + width * 3):
        assert packed[start] == 2
        line = packed[start + 1 : start + 1 + width * 3]
        before = bytes((a + b) & 255 for a, b in zip(line, before, strict=True))
        rows.append(before)
    return width, height, rows


def test_a_canvas_becomes_the_picture_that_was_drawn() -> None:
    canvas = Canvas(4, 3, 0xFFFFFF)
    canvas.fill(box(1, 1, 2, 1), 0x102030)
    canvas.fill(box(0, 2, 0.5, 1), 0x000000)
    width, height, rows = pixels(canvas.png())
    assert (width, height) == (4, 3)
    assert rows[0] == b"\xff" * 12
    assert rows[1] == b"\xff" * 3 + bytes.fromhex("102030") * 2 + b"\xff" * 3
    assert rows[2][:3] == b"\x80" * 3, "half covered is half dark"


@pytest.mark.parametrize(
    ("draw", "size"),
    [
        (pictures.harbour, (880, 550)),
        (pictures.site_plan, (860, 560)),
        (pictures.week_chart, (720, 320)),
        (pictures.logo, (132, 36)),
    ],
)
def test_each_picture_decodes_and_has_something_on_it(draw: object, size: tuple[int, int]) -> None:
    assert callable(draw)
    width, height, rows = pixels(draw())
    assert (width, height) == size
    colours = {row[at : at + 3] for row in rows for at in range(0, width * 3, 3)}
    assert len(colours) > 5


def objects_of(pdf: bytes) -> dict[int, bytes]:
    """The objects that the cross-reference table points at, by number."""
    assert pdf.startswith(b"%PDF-1.4\n")
    assert pdf.endswith(b"%%EOF\n")
    found = re.search(rb"startxref\n(\d+)\n", pdf)
    assert found is not None
    start = int(found[1])
    assert pdf[start : start + 5] == b"xref\n"
    count = int(pdf[start + 5 :].split(b"\n", 1)[0].split()[1])
    assert f"/Size {count} ".encode() in pdf
    entries = pdf[start + 5 :].split(b"\n", 1)[1]
    objects = {}
    for number in range(1, count):
        entry = entries[number * 20 : number * 20 + 20]
        assert re.fullmatch(rb"\d{10} 00000 n \n", entry)
        place = int(entry[:10])
        head = b"%d 0 obj\n" % number
        assert pdf[place : place + len(head)] == head
        objects[number] = pdf[place + len(head) : pdf.index(b"\nendobj\n", place)]
    return objects


def drawn(pdf: bytes) -> str:
    """What the pages draw, as text."""
    texts = []
    for body in objects_of(pdf).values():
        if b"stream\n" in body:
            head, _, stream = body.partition(b"stream\n")
            packed = stream.removesuffix(b"\nendstream")
            assert b"/Length %d " % len(packed) in head
            texts.append(zlib.decompress(packed).decode("cp1252"))
    return "\n".join(texts)


PAPER = Paper(
    kind="Invoice",
    number="2026-1107",
    day=date(2026, 11, 20),
    sender=LAWYERS_FIRM,
    receiver=ACME_FIRM,
    items=(Item("Prüfung (Größe „M“)", 6, "h", 24000), Item("Courier", 1, "pcs", 2350)),
    note="Pay soon.",
)


def test_an_invoice_adds_up_and_its_references_are_right() -> None:
    text = drawn(paper_pdf(PAPER))
    assert "(Prüfung \\(Größe „M“\\))" in text
    for amount in ("1,440.00", "23.50", "1,463.50", "278.07", "1,741.57"):
        assert f"({amount})" in text
    assert paper_pdf(PAPER) == paper_pdf(PAPER)


def test_a_long_letter_gets_as_many_pages_as_it_needs() -> None:
    pdf = letter_pdf("Title", "Somebody", NOON, ["# One", "word " * 2000])
    pages = [body for body in objects_of(pdf).values() if b"/Type /Page " in body]
    assert len(pages) == 3
    assert b"/Count 3" in objects_of(pdf)[2]


def test_text_that_winansi_lacks_is_still_readable() -> None:
    pdf = Document("Ж", "Kraków", NOON)
    pdf.text((10, 10), "Król č 日 €")
    assert "(Król c ? €)" in drawn(pdf.render())


def test_widths_are_those_of_helvetica() -> None:
    assert width_of("Invoice", 10) == pytest.approx(31.68)
    assert width_of("Invoice", 10, bold=True) == pytest.approx(34.46)


def test_another_program_reads_the_same_text(tmp_path: Path) -> None:
    pdftotext = program("pdftotext", "poppler-utils")
    file = tmp_path / "paper.pdf"
    for pdf, expected in (
        (paper_pdf(PAPER), "Invoice 2026-1107"),
        (ticket_pdf(("Berlin", "Zürich"), NOON, 8.5, "NB7"), "Zürich"),
    ):
        file.write_bytes(pdf)
        done = subprocess.run([pdftotext, str(file), "-"], capture_output=True, check=True)
        assert expected in done.stdout.decode()
        assert done.stderr == b""


def test_money_is_written_with_cents() -> None:
    assert [money(cents) for cents in (5, 100, 123456789)] == ["0.05", "1.00", "1,234,567.89"]


def test_a_spreadsheet_is_a_whole_package_with_the_rows_in_it() -> None:
    octets = sheet_xlsx("A & B", [["Pallet", "Pieces"], ["P<1>", 40]])
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        trees = {name: ElementTree.fromstring(archive.read(name)) for name in names}
    types = {tree.get("PartName") for tree in trees["[Content_Types].xml"]} - {None}
    assert types == {f"/{name}" for name in names if name.startswith("xl/") and "_rels" not in name}
    for name, folder in (("_rels/.rels", ""), ("xl/_rels/workbook.xml.rels", "xl/")):
        assert all(f"{folder}{relation.get('Target')}" in names for relation in trees[name])
    sheet = trees["xl/worksheets/sheet1.xml"]
    cells = [cell.text for cell in sheet.iter() if cell.tag.rpartition("}")[2] in ("t", "v")]
    assert cells == ["Pallet", "Pieces", "P<1>", "40"]
    assert octets == sheet_xlsx("A & B", [["Pallet", "Pieces"], ["P<1>", 40]])


def test_the_packing_list_and_the_order_agree() -> None:
    assert "(40 pcs)" in drawn(orders.order_pdf(Times(NOON), 40))
    with zipfile.ZipFile(io.BytesIO(orders.packing_list())) as archive:
        assert b"<v>40</v>" in archive.read("xl/worksheets/sheet1.xml")


def invitation(summary: str = "Board dry run") -> bytes:
    return invitation_ics(
        Invitation(
            uid="x@northwind.example",
            summary=summary,
            description="One; two, three\nand \\ four",
            location="Room Havel",
            starts=datetime(2026, 11, 25, 15, 0),  # noqa: DTZ001 - a wall clock
            ends=datetime(2026, 11, 25, 16, 0),  # noqa: DTZ001 - a wall clock
            stamp=NOON,
            organizer=("Priya Nair", "priya@northwind.example"),
            attendees=(("Vlad Mazek", "vlad@acme.example"),),
        )
    )


def test_an_invitation_is_escaped_nested_and_names_its_zone() -> None:
    lines = invitation().decode().replace("\r\n ", "").split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert "METHOD:REQUEST" in lines
    assert "DTSTART;TZID=Europe/Berlin:20261125T150000" in lines
    assert "DTSTAMP:20261124T120000Z" in lines
    assert "DESCRIPTION:One\\; two\\, three\\nand \\\\ four" in lines
    assert all(line in lines for line in BERLIN.split("\n"))
    open_parts: list[str] = []
    for line in lines:
        if line.startswith("BEGIN:"):
            open_parts.append(line.removeprefix("BEGIN:"))
        elif line.startswith("END:"):
            assert open_parts.pop() == line.removeprefix("END:")
    assert open_parts == []


def test_long_lines_of_an_invitation_are_folded_between_characters() -> None:
    octets = invitation("Größe 日本語 " * 20)
    assert octets.endswith(b"END:VCALENDAR\r\n")
    for line in octets.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
    assert "Größe 日本語 " * 20 in octets.replace(b"\r\n ", b"").decode()


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        ("2026-03-29T00:59:59+00:00", 1),
        ("2026-03-29T01:00:00+00:00", 2),
        ("2026-10-25T00:59:59+00:00", 2),
        ("2026-10-25T01:00:00+00:00", 1),
    ],
)
def test_berlin_changes_its_clocks_when_the_eu_does(moment: str, hours: int) -> None:
    there = berlin(datetime.fromisoformat(moment))
    offset = there.utcoffset()
    assert offset is not None
    assert offset.total_seconds() == hours * 3600


def test_flowed_text_reads_the_same_after_joining() -> None:
    text = "word " * 60 + "end\n\n> quoted " + "x" * 90 + "\n From here\nFrom there\n-- \nName"
    flowed = flow(text)
    joined = re.sub(r"(?<!^--) \n", " ", flowed, flags=re.MULTILINE)
    unstuffed = "\n".join(line.removeprefix(" ") for line in joined.split("\n"))
    assert unstuffed == text
    assert all(len(line) <= 76 for line in flowed.split("\n") if not line.startswith(">"))
