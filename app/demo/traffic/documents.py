"""The papers attached to the sample mail: invoice, order, ticket, contract as PDF, lists as XLSX.

Amounts are whole cents. The same arguments give the same octets.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from xml.sax.saxutils import escape

from app.demo.traffic.pdf import Colour, Document

GREY: Colour = (0.42, 0.46, 0.5)
PALE: Colour = (0.945, 0.95, 0.957)
LEFT, RIGHT = 62.0, 533.0
VAT_PERCENT = 19


@dataclass(frozen=True, slots=True)
class Firm:
    """Who a paper comes from or goes to."""

    name: str
    street: str
    town: str
    footer: str = ""
    colour: Colour = (0.14, 0.26, 0.36)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an invoice or an order."""

    text: str
    count: int
    unit: str
    price: int  # cents for one

    @property
    def total(self) -> int:
        return self.count * self.price


@dataclass(frozen=True, slots=True)
class Paper:
    """What an invoice and an order have in common."""

    kind: str  # "Invoice", "Purchase order"
    number: str
    day: date
    sender: Firm
    receiver: Firm
    items: tuple[Item, ...]
    note: str
    facts: tuple[tuple[str, str], ...] = ()


def money(cents: int) -> str:
    return f"{cents // 100:,}.{cents % 100:02d}"


def long_day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def week_day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B}"


def paper_pdf(paper: Paper) -> bytes:
    """An A4 page: letterhead, address, facts, table, sums, footer."""
    made = datetime.combine(paper.day, time(9), UTC)
    pdf = Document(f"{paper.kind} {paper.number}", paper.sender.name, made)
    _letterhead(pdf, paper)
    bottom = _table(pdf, paper, 366)
    _sums(pdf, paper, bottom + 22)
    for index, line in enumerate(paper.note.split("\n")):
        pdf.text((LEFT, bottom + 112 + index * 15), line)
    pdf.line((LEFT, 782), (RIGHT, 782), 0.5, GREY)
    for index, line in enumerate(paper.sender.footer.split("\n")):
        pdf.text((LEFT, 797 + index * 11), line, 8, colour=GREY)
    pdf.text((RIGHT, 797), "Page 1 of 1", 8, align="right", colour=GREY)
    return pdf.render()


def _letterhead(pdf: Document, paper: Paper) -> None:
    sender, receiver = paper.sender, paper.receiver
    pdf.box((0, 0), (595, 7), sender.colour)
    pdf.text((LEFT, 68), sender.name, 17, bold=True, colour=sender.colour)
    pdf.text((RIGHT, 58), sender.street, 9, align="right", colour=GREY)
    pdf.text((RIGHT, 70), sender.town, 9, align="right", colour=GREY)
    small = f"{sender.name}, {sender.street}, {sender.town}"
    pdf.text((LEFT, 140), small, 7, colour=GREY)
    pdf.line((LEFT, 144), (LEFT + 230, 144), 0.4, GREY)
    for index, line in enumerate((receiver.name, receiver.street, receiver.town)):
        pdf.text((LEFT, 162 + index * 15), line, 11, bold=index == 0)
    facts = (("Number", paper.number), ("Date", long_day(paper.day)), *paper.facts)
    for index, (name, value) in enumerate(facts):
        pdf.text((372, 162 + index * 15), name, 9, colour=GREY)
        pdf.text((RIGHT, 162 + index * 15), value, 9, align="right")
    pdf.text((LEFT, 300), f"{paper.kind} {paper.number}", 20, bold=True)


COLUMNS = (LEFT + 10, 370.0, 450.0, RIGHT - 10)  # text; right ends of the three figures


def _table(pdf: Document, paper: Paper, top: float) -> float:
    """The items; returns where they end."""
    pdf.box((LEFT, top - 32), (RIGHT - LEFT, 24), paper.sender.colour)
    white = (1.0, 1.0, 1.0)
    pdf.text((COLUMNS[0], top - 16), "Description", 9, bold=True, colour=white)
    for x, title in zip(COLUMNS[1:], ("Quantity", "Price", "Amount"), strict=True):
        pdf.text((x, top - 16), title, 9, bold=True, align="right", colour=white)
    for index, item in enumerate(paper.items):
        y = top + 10 + index * 24
        if index % 2:
            pdf.box((LEFT, y - 16), (RIGHT - LEFT, 24), PALE)
        pdf.text((COLUMNS[0], y), item.text)
        figures = (f"{item.count} {item.unit}", money(item.price), money(item.total))
        for x, figure in zip(COLUMNS[1:], figures, strict=True):
            pdf.text((x, y), figure, align="right")
    return top + 10 + (len(paper.items) - 1) * 24 + 14


def _sums(pdf: Document, paper: Paper, top: float) -> None:
    net = sum(item.total for item in paper.items)
    vat = (net * VAT_PERCENT + 50) // 100
    pdf.line((LEFT, top - 14), (RIGHT, top - 14), 0.6, GREY)
    rows = (("Net", net), (f"VAT {VAT_PERCENT} %", vat), ("Total EUR", net + vat))
    for index, (name, cents) in enumerate(rows):
        last = index == len(rows) - 1
        y = top + 6 + index * 19
        if last:
            pdf.line((372, y - 14), (RIGHT, y - 14), 0.6, GREY)
        pdf.text((372, y), name, 11 if last else 10, bold=last)
        size = 11 if last else 10
        pdf.text((COLUMNS[3], y), money(cents), size, bold=last, align="right")


def letter_pdf(title: str, author: str, made: datetime, paragraphs: Sequence[str]) -> bytes:
    """A plain typed paper: a title and paragraphs, broken into lines by their width."""
    pdf = Document(title, author, made)
    pdf.text((LEFT, 96), title, 18, bold=True)
    pdf.text((LEFT, 116), f"{author}, {long_day(made.date())}", 9, colour=GREY)
    y = 152.0
    for paragraph in paragraphs:
        heading = paragraph.startswith("# ")
        for line in _lines(paragraph.removeprefix("# "), 92):
            if y > 770:
                pdf.new_page()
                y = 84.0
            pdf.text((LEFT, y), line, 10.5, bold=heading)
            y += 15
        y += 3 if heading else 9
    return pdf.render()


def _lines(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def ticket_pdf(route: tuple[str, str], leaves: datetime, hours: float, code: str) -> bytes:
    """A railway ticket for two, with its code in large letters."""
    pdf = Document(f"Ticket {code}", "Nordbahn", leaves)
    blue: Colour = (0.05, 0.3, 0.5)
    pdf.box((40, 48), (515, 250), PALE)
    pdf.box((40, 48), (515, 44), blue)
    pdf.text((58, 76), "Nordbahn", 17, bold=True, colour=(1, 1, 1))
    pdf.text((537, 76), "Ticket for 2 adults", 11, align="right", colour=(1, 1, 1))
    arrives = leaves + timedelta(hours=hours)
    for x, align, town, at in (
        (58, "left", route[0], leaves),
        (537, "right", route[1], arrives),
    ):
        pdf.text((x, 136), town, 20, bold=True, align=align)
        pdf.text((x, 160), f"{at:%H:%M}", 16, align=align, colour=blue)
        pdf.text((x, 178), long_day(at.date()), 9, align=align, colour=GREY)
    pdf.line((200, 155), (395, 155), 1.2, blue)
    pdf.text((297, 148), f"NB 61, {hours:g} hours, direct", 9, align="centre", colour=GREY)
    pdf.line((58, 200), (537, 200), 0.5, GREY)
    for x, name, value in ((58, "Coach", "23"), (150, "Seats", "61, 62"), (260, "Class", "2")):
        pdf.text((x, 224), name, 9, colour=GREY)
        pdf.text((x, 244), value, 14, bold=True)
    pdf.text((537, 224), "Booking", 9, align="right", colour=GREY)
    pdf.text((537, 244), code, 14, bold=True, align="right")
    pdf.text((58, 282), "Valid on this train only. Show this page, on paper or on a screen.", 9)
    return pdf.render()


_SHEET_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType='
    '"application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    '<Override PartName="/xl/styles.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
    'officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": "<Relationships xmlns="
    '"http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
    'worksheet" Target="worksheets/sheet1.xml"/>'
    '<Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
    'styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    "<borders count=\"1\"><border/></borders><cellStyleXfs count=\"1\"><xf/></cellStyleXfs>"
    '<cellXfs count="2"><xf/><xf fontId="1" applyFont="1"/></cellXfs></styleSheet>',
}  # fmt: skip
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def sheet_xlsx(name: str, rows: Sequence[Sequence[str | int]]) -> bytes:
    """A spreadsheet (ECMA-376) of one sheet, whose first row is its heading."""
    cells = "".join(
        f'<row r="{y}">' + "".join(_cell(x, y, value) for x, value in enumerate(row)) + "</row>"
        for y, row in enumerate(rows, start=1)
    )
    parts = _SHEET_PARTS | {
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
        f'<sheet name="{escape(name)}" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><cols>'
        '<col min="1" max="8" width="18" customWidth="1"/></cols>'
        f"<sheetData>{cells}</sheetData></worksheet>",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in parts.items():
            archive.writestr(zipfile.ZipInfo(path), _XML + text, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _cell(x: int, y: int, value: str | int) -> str:
    place = f'r="{"ABCDEFGH"[x]}{y}" s="{int(y == 1)}"'
    if isinstance(value, int):
        return f"<c {place}><v>{value}</v></c>"
    return f'<c {place} t="inlineStr"><is><t>{escape(value)}</t></is></c>'
