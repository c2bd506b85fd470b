"""Addresses, identifiers and file names as mailers write them."""

import pytest

from archive_store.mime import headers
from archive_store.mime.filenames import LONGEST, safe_name
from archive_store.mime.values import Address


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("jane@x.example", [("", "jane@x.example")]),
        ("Jane Doe <jane@x.example>", [("Jane Doe", "jane@x.example")]),
        ('"Doe, Jane" <jane@x.example>', [("Doe, Jane", "jane@x.example")]),
        ("Doe, Jane <jane@x.example>", [("Doe, Jane", "jane@x.example")]),
        ("jane@x.example (Jane Doe)", [("Jane Doe", "jane@x.example")]),
        ("<jane@x.example>", [("", "jane@x.example")]),
        ("a@x.example, b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
        ("Team: a@x.example, B <b@x.example>;", [("", "a@x.example"), ("B", "b@x.example")]),
        ("undisclosed-recipients:;", []),
        ("=?utf-8?Q?J=C3=BCrgen?= <j@x.example>", [("Jürgen", "j@x.example")]),
        ('"=?utf-8?Q?J=C3=BCrgen?=" <j@x.example>', [("Jürgen", "j@x.example")]),
        ("=?utf-8?Q?Doe=2C_Jane?= <j@x.example>", [("Doe, Jane", "j@x.example")]),
        ("<@relay.example:jane@x.example>", [("", "jane@x.example")]),
        ('"broken <jane@x.example>', [("broken", "jane@x.example")]),
        ("jane @ x.example", [("", "jane@x.example")]),
        ('"a@evil.example" <real@x.example>', [("a@evil.example", "real@x.example")]),
        ("<a@x.example> <b@x.example>", [("", "a@x.example")]),
        ("Jane <jane@x.example", [("Jane", "jane@x.example")]),
        ("postmaster", [("postmaster", "")]),
        ("", []),
        (",,;,", []),
        ("Boss\u202e <b\u200b@x.example>", [("Boss", "b@x.example")]),
    ],
)
def test_an_address_list(written: str, addresses: list[tuple[str, str]]) -> None:
    assert headers.parse_addresses(written, 100) == tuple(Address(*one) for one in addresses)


def test_no_more_addresses_are_read_than_the_limit() -> None:
    assert len(headers.parse_addresses("a@x.example," * 1_000, 7)) == 7


def test_identifiers() -> None:
    assert headers.message_id(" <a@b> (x)") == "<a@b>"
    assert headers.message_id("a@b") == "<a@b>"
    assert headers.message_id("<<x@@y>") == "<x@@y>"
    assert headers.message_id("two words") == ""
    assert headers.message_ids("<a@x> <b@x>\t<c@x>", 2) == ("<b@x>", "<c@x>")


@pytest.mark.parametrize(
    "written",
    ["", "x", "0", "Tue, 31 Feb 2026 10:00:00 +0000", "1 Jan 99999 0:0:0 +0000", "-" * 999],
)
def test_what_is_no_date_is_none(written: str) -> None:
    assert headers.parse_date(written) is None


def test_a_date_without_a_zone_is_taken_as_utc() -> None:
    found = headers.parse_date("Tue, 24 Nov 2026 10:00:00 -0000")
    assert found is not None
    assert found.isoformat() == "2026-11-24T10:00:00+00:00"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\system.ini", "system.ini"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\x00b\r\n.txt", "a b .txt"),
        ("  .htaccess ", "htaccess"),
        ("name. ", "name"),
        ("CON.txt", "_CON.txt"),
        ("lpt1", "_lpt1"),
        ('what?*:<>|".txt', "what_______.txt"),
        ("e\u0301.txt", "é.txt"),
        ("zero\u200bwidth.txt", "zerowidth.txt"),
        ("", "attachment-1.pdf"),
        ("...", "attachment-1.pdf"),
        ("folder/", "attachment-1.pdf"),
    ],
)
def test_a_file_name_is_safe_on_every_system(written: str, name: str) -> None:
    assert safe_name(written, "application/pdf", 0) == name


def test_a_long_name_keeps_its_extension() -> None:
    name = safe_name("ä" * 500 + ".docx", "application/pdf", 0)
    assert name.endswith("ä.docx")
    assert len(name.encode()) <= LONGEST
