"""How names, sizes, times and files are written; where strokes are drawn."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup, escape

from app.admin_views import DayFigure, HourFigure
from app.web import showing
from app.web.dates import Clock, by_day, english
from app.web.downloads import disposition, safe_name
from app.web.figures import day_bars, hour_plot, shares
from app.web.flash import MOST_IDS
from tests.app.web import sample

NOW = datetime(2026, 11, 24, 10, 8, tzinfo=UTC)
BERLIN = Clock(NOW, ZoneInfo("Europe/Berlin"))


def ago(**back: float) -> datetime:
    return NOW - timedelta(**back)


@pytest.mark.parametrize(
    ("name", "address", "shown"),
    [
        ("Hanna Berg", "h@b.example", "Hanna Berg"),
        ("  Hanna \n Berg ", "h@b.example", "Hanna Berg"),
        ("", "h@b.example", "h@b.example"),
        ("ceo@bank.example", "h@b.example", "h@b.example"),
        ("H@B.example", "h@b.example", "H@B.example"),
        ("", "", ""),
    ],
)
def test_a_sender_is_named_truly(name: str, address: str, shown: str) -> None:
    assert showing.sender_name(name, address) == shown


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Hanna Berg", "HB"),
        ("hanna@b.example", "H"),
        ("", "?"),
        ("…", "?"),
        ("ليلى حداد", "لح"),
        ("Dr. Ada van Dyk", "DD"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert showing.initials(name) == letters


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (0, "0 byte"),
        (999, "999 byte"),
        (1000, "1 kB"),
        (218_400, "218 kB"),
        (4_100_000, "4.1 MB"),
        (88_400_000, "88 MB"),
        (7_000_000_000_000, "7000 GB"),
    ],
)
def test_sizes(octets: int, text: str) -> None:
    assert english().size(octets) == text


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("a.pdf", "PDF"),
        ("a.PDF ", "PDF"),
        ("a.xlsx", "Spreadsheet"),
        ("photo\u202egpj.exe", "Program (EXE)"),
        ("invoice.pdf.js", "Program (JS)"),
        ("backup.tar.gz", "GZ"),
        ("README", "File"),
        ("", "File"),
        ("a.", "File"),
        ("a.<b>", "File"),
        ("a.toolongending", "File"),
    ],
)
def test_the_real_ending_of_a_file_is_told(name: str, label: str) -> None:
    assert showing.file_kind(name).label == label


def test_hidden_characters_go_and_letters_stay() -> None:
    assert showing.visible("a\u202eb\x00\u2066c\u200bd") == "abcd"
    for kept in ("नमस्\u200dते", "می\u200cخواهم", "tab\tline\n", "👩\u200d👧"):
        assert showing.visible(kept) == kept
    escaped = showing.visible(escape("<b\u202e>"))
    assert escaped == "&lt;b&gt;"
    assert isinstance(escaped, Markup)


def test_found_words_are_marked_whatever_is_in_them() -> None:
    assert showing.marked("Order (1)", ("order", "(1)")) == [
        ("Order", True),
        (" ", False),
        ("(1)", True),
    ]
    assert showing.marked("nothing", ("", " ")) == [("nothing", False)]
    assert showing.marked("Größe", ("grosse",)) == [("Größe", True)]
    assert showing.marked("", ("x",)) == [("", False)]
    assert showing.marked(escape("a < amp & b"), ("amp",)) == [
        ("a < ", False),
        ("amp", True),
        (" & b", False),
    ]


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        ("Hanna Berg <hanna@b.example>", "Hanna Berg"),
        ("hanna@b.example", "hanna@b.example"),
        ("boss@bank.example <hanna@b.example>", "hanna@b.example"),
        ("a <b> <hanna@b.example>", "a <b>"),
    ],
)
def test_a_recipient_is_named_truly(who: str, shown: str) -> None:
    assert showing.spoken(who) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("sales@acme.example", "sales@"),
        ("vlad@own.example", "vlad@own.example"),
        ("Vlad@own.example", "Vlad@own.example"),
        ("nobody", "nobody"),
    ],
)
def test_an_address_is_short_where_that_tells_it_apart(address: str, shown: str) -> None:
    assert showing.short_address(address, "vlad@acme.example") == shown


def test_a_device_is_guessed_from_what_it_says() -> None:
    assert (
        showing.device("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36")
        == "Chrome on Windows"
    )
    assert showing.device("curl/8") == "Another program"


@pytest.mark.parametrize(
    ("moment", "short", "full"),
    [
        (ago(minutes=1), "11:07", "Today, 11:07"),
        (ago(hours=12), "Mon 23:08", "Yesterday, 23:08"),
        (ago(days=6), "Wed 11:08", "Wednesday 18 November, 11:08"),
        (ago(days=8), "16 Nov 11:08", "Monday 16 November, 11:08"),
    ],
)
def test_times_are_told_by_the_day(moment: datetime, short: str, full: str) -> None:
    assert BERLIN.short(moment) == short
    assert BERLIN.full(moment) == full


def test_the_days_of_a_list_are_the_readers_own() -> None:
    row = sample.letters()[0].row
    rows = [replace(row, received_at=datetime(2026, 11, 23, h, 30, tzinfo=UTC)) for h in (23, 22)]
    groups = list(by_day(BERLIN, rows, timedelta(days=7)))
    assert [(group.day, len(group.rows)) for group in groups] == [
        (date(2026, 11, 24), 1),
        (date(2026, 11, 23), 1),
    ]


def test_what_leaves_soon_says_when() -> None:
    assert BERLIN.leaving(NOW + timedelta(hours=3)) == "today"
    assert BERLIN.leaving(NOW + timedelta(hours=20)) == "tomorrow"
    assert BERLIN.leaving(NOW + timedelta(hours=47)) == "on Thursday"
    assert BERLIN.leaving(NOW + timedelta(hours=49)) == ""


@pytest.mark.parametrize(
    ("back", "text"),
    [(30, "0 min"), (86 * 60, "1 h 26 min"), (3 * 86_400 + 7_200, "3 d 2 h"), (-5, "0 min")],
)
def test_how_long_something_lasts(back: int, text: str) -> None:
    assert BERLIN.lasting(ago(seconds=back)) == text


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("plan.pdf", "plan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\x.exe", "x.exe"),
        ("a\r\nb\0.txt", "a  b.txt"),
        ("", "attachment"),
        ("...", "attachment"),
        ("/", "attachment"),
        ("x" * 400 + ".pdf", "x" * 146 + ".pdf"),
        ("y" * 400, "y" * 150),
    ],
)
def test_a_file_name_is_only_a_name(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_file_name_survives_the_header() -> None:
    assert disposition('größe "x" %.txt') == (
        'attachment; filename="gr__e _x_ _.txt"; '
        "filename*=UTF-8''gr%C3%B6%C3%9Fe%20%22x%22%20%25.txt"
    )
    assert disposition("\ud800.txt").isascii()


def test_days_are_drawn_by_their_share() -> None:
    week = [(date(2026, 11, 18) + timedelta(days=n), n * 10) for n in range(7)]
    bars = day_bars(week)
    assert (bars[0].x, bars[-1].x) == (10, 186)
    assert bars[0].top < bars[0].bottom  # a dot, even without mail
    assert [bar.top for bar in bars] == sorted((bar.top for bar in bars), reverse=True)
    assert day_bars([]) == []


def test_hours_are_drawn_to_a_round_scale() -> None:
    plot = hour_plot(
        [HourFigure(at=NOW, arrived=40, waiting=20), HourFigure(at=NOW, arrived=0, waiting=0)]
    )
    assert [level.value for level in plot.levels] == [0, 20, 40]
    assert plot.bars[0].height == 2 * plot.bars[0].held_height
    assert plot.bars[1].height == 0
    assert [level.value for level in hour_plot([]).levels] == [0, 2, 4]


def test_days_are_compared_with_the_fullest() -> None:
    days = [
        DayFigure(day=date(2026, 11, n), messages=1, octets=octets)
        for n, octets in ((1, 50), (2, 200))
    ]
    assert [share for _, share in shares(days)] == [25, 100]
    assert shares([]) == []


def test_an_undo_fits_into_a_cookie() -> None:
    assert MOST_IDS * 30 * 4 // 3 < 3500


@pytest.mark.parametrize(
    ("address", "letters"),
    [
        ("a@xn--mller-kva.de", "müller.de"),
        ("a@mail.XN--MLLER-KVA.de", "mail.müller.de"),
        ("a@müller.de", ""),
        ("a@muller.de", ""),
        ("a@xn--pypal-4ve.com", ""),  # told of in words
        ("a@xn--\u202e.com", ""),
        ("", ""),
    ],
)
def test_a_domain_in_punycode_can_be_read(address: str, letters: str) -> None:
    assert showing.own_letters(address) == letters


@pytest.mark.parametrize("code", [0x61C, 0x34F, 0x115F, 0x180E, 0x2063, 0x202E, 0x2067])
def test_what_hides_or_turns_text_is_not_printed(code: int) -> None:
    assert showing.visible(f"in{chr(code)}voice") == "invoice"
