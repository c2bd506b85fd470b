"""The list of a folder, and what is done to many messages at once."""

import re
from dataclasses import replace

import pytest

from app.views import FolderPage
from app.web.mailbox import Place, first_number
from archive_store.errors import StoreBusy, StoreFull
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World
from tests.app.web.health_double import OUTAGE

ROW = re.compile(r'<a class="row-link" href="([^"]+)".*?</a>', re.DOTALL)


def ids(*numbers: int) -> list[str]:
    return [sample.entry_id(number) for number in numbers]


def links(page: str) -> list[str]:
    return ROW.findall(page)


def folder_of(world: World, number: int) -> str:
    return world.reading.letters[world.reading.place_of(sample.entry_id(number))].row.folder


def test_each_row_is_a_link_with_sender_and_subject(vlad: Client) -> None:
    page = vlad.get("/mail/inbox").text
    first = ROW.search(page)
    assert first is not None
    assert first[1] == f"/mail/inbox/{sample.entry_id(1)}"
    assert "Hanna Berg" in first[0]
    assert "Purchase order 4471: delivery moved to Thursday?" in first[0]


@pytest.mark.parametrize("folder", ["inbox", "sent", "trash", "spam", "archive", "starred"])
def test_every_folder_is_there(vlad: Client, folder: str) -> None:
    assert vlad.get(f"/mail/{folder}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/mail/outbox",
        "/mail/INBOX",
        "/mail/inbox?filter=all'",
        "/mail/inbox?page=0",
        "/mail/inbox?page=x",
        "/mail/inbox?to=99",
        "/mail/inbox?to=-1",
        "/mail/",
    ],
)
def test_what_no_page_of_ours_links_to_is_not_here(vlad: Client, path: str) -> None:
    assert vlad.get(path).status_code == 404


def test_a_filter_shows_what_fits(vlad: Client) -> None:
    unread = links(vlad.get("/mail/inbox?filter=unread").text)
    assert unread == [f"/mail/inbox/{i}?filter=unread" for i in ids(2, 5, 8, 10)]


def test_an_identity_shows_what_was_sent_to_it(vlad: Client) -> None:
    page = vlad.get("/mail/inbox?to=2").text
    assert "Only what was sent to sales@acme.example" in page
    assert links(page) == [f"/mail/inbox/{i}?to=2" for i in ids(1, 3, 10)]


def test_no_address_stands_in_a_link_to_a_page(vlad: Client) -> None:
    for path in ("/mail/inbox", f"/mail/inbox/{sample.entry_id(1)}", "/settings"):
        targets = re.findall(r'(?:href|action|src)="([^"]*)"', vlad.get(path).text)
        assert targets
        assert [target for target in targets if "@" in target or "%40" in target] == []


def test_pages_are_numbered_and_linked(vlad: Client) -> None:
    first, second = vlad.get("/mail/inbox").text, vlad.get("/mail/inbox?page=2").text
    assert "1–8 of 11" in first
    assert 'rel="next" href="/mail/inbox?page=2"' in first
    assert "9–11 of 11" in second
    assert 'rel="prev" href="/mail/inbox"' in second


def test_the_number_of_the_first_row_holds_on_each_page() -> None:
    row = sample.letters()[0].row

    def first(rows: int, total: int, page: int, pages: int) -> int:
        return first_number(
            FolderPage(
                folder="inbox", rows=(row,) * rows, total=total, unread=0, page=page, pages=pages
            )
        )

    assert [first(0, 0, 1, 1), first(8, 11, 1, 2), first(3, 11, 2, 2), first(8, 16, 2, 2)] == [
        0,
        1,
        9,
        9,
    ]


def test_days_and_truths_are_in_the_rows(vlad: Client) -> None:
    page = vlad.get("/mail/inbox?page=2").text
    assert "Today" in vlad.get("/mail/inbox").text
    assert "leaves tomorrow" not in vlad.get("/mail/inbox").text
    assert "Leaves today" in page or "Leaves tomorrow" in page
    assert "Only here" in vlad.get("/mail/inbox").text


def test_an_empty_inbox_says_that_mail_comes_by_itself(world: World, vlad: Client) -> None:
    world.reading.letters.clear()
    page = vlad.get("/mail/inbox").text
    assert "No mail in seven days" in page
    assert "New mail appears here by itself." in page


def test_the_outage_is_told_in_the_readers_own_time(world: World, vlad: Client) -> None:
    world.health.shown = OUTAGE
    vlad.cookies.set("tz", "Europe/Berlin")
    page = vlad.get("/mail/inbox").text
    assert "Your mail server has not answered since 09:42." in page
    assert "Nothing is lost." in page


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "Europe/Berlin\x00"])
def test_an_unknown_time_zone_is_utc(world: World, vlad: Client, zone: str) -> None:
    world.health.shown = OUTAGE
    page = vlad.get("/mail/inbox", headers={"cookie": f"la={vlad.cookies['la']}; tz={zone}"}).text
    assert "since 08:42." in page


def test_ticked_messages_go_to_the_trash_and_back(world: World, vlad: Client) -> None:
    answer = vlad.post("/mail/inbox?filter=unread", {"do": "delete", "ids": ids(2, 5)})
    assert answer.headers["location"] == "/mail/inbox?filter=unread"
    assert [folder_of(world, n) for n in (2, 5)] == ["trash", "trash"]
    page = vlad.get("/mail/inbox").text
    assert "2 messages are in the trash." in page
    assert 'value="restore" data-undo' in page
    vlad.post("/mail/inbox", {"do": "restore", "ids": ids(2, 5)})
    assert [folder_of(world, n) for n in (2, 5)] == ["inbox", "inbox"]


def test_what_was_done_is_said_once(vlad: Client) -> None:
    vlad.post("/mail/inbox", {"do": "archive", "ids": ids(2)})
    assert "1 message is in the archive." in vlad.get("/mail/inbox").text
    assert "in the archive." not in vlad.get("/mail/inbox").text


@pytest.mark.parametrize("folder", ["archive", "spam"])
def test_moving_can_be_undone(world: World, vlad: Client, folder: str) -> None:
    vlad.post("/mail/inbox", {"do": folder, "ids": ids(2)})
    assert folder_of(world, 2) == folder
    undo = re.search(r'name="do" value="(\w+)" data-undo', vlad.get("/mail/inbox").text)
    assert undo is not None
    vlad.post("/mail/inbox", {"do": undo[1], "ids": ids(2)})
    assert folder_of(world, 2) == "inbox"


def test_a_button_of_a_row_is_for_that_row_alone(world: World, vlad: Client) -> None:
    vlad.post("/mail/inbox", {"do": f"star:{sample.entry_id(5)}", "ids": ids(1, 2)})
    starred = [letter.row.id for letter in world.reading.letters if letter.row.starred]
    assert starred == ids(4, 5)


def test_marks_are_set_for_many(world: World, vlad: Client) -> None:
    vlad.post("/mail/inbox", {"do": "read", "ids": ids(2, 5)})
    assert links(vlad.get("/mail/inbox?filter=unread").text) == [
        f"/mail/inbox/{i}?filter=unread" for i in ids(8, 10)
    ]


def test_nothing_ticked_does_nothing(world: World, vlad: Client) -> None:
    before = list(world.reading.letters)
    vlad.post("/mail/inbox", {"do": "delete"})
    assert "Nothing was ticked" in vlad.get("/mail/inbox").text
    assert world.reading.letters == before


def test_what_lies_in_the_trash_goes_for_good_only_when_sure(world: World, vlad: Client) -> None:
    asked = vlad.post("/mail/trash", {"do": "delete", "ids": ids(21)})
    assert "Nobody can bring it back" in asked.text
    assert folder_of(world, 21) == "trash"
    vlad.post("/mail/trash", {"do": "delete", "ids": ids(21), "sure": "yes"})
    assert sample.entry_id(21) not in [letter.row.id for letter in world.reading.letters]


def test_deleting_twice_from_an_old_page_is_not_for_good(world: World, vlad: Client) -> None:
    vlad.post("/mail/inbox", {"do": "delete", "ids": ids(1)})
    vlad.post("/mail/inbox", {"do": "delete", "ids": ids(1)})
    assert folder_of(world, 1) == "trash"


@pytest.mark.parametrize("do", ["", "explode", "delete_everything", "starred"])
def test_an_unknown_deed_is_refused(vlad: Client, do: str) -> None:
    assert vlad.post("/mail/inbox", {"do": do, "ids": ids(1)}).status_code == 400


def test_too_many_at_once_are_refused(vlad: Client) -> None:
    assert vlad.post("/mail/inbox", {"do": "star", "ids": ["a"] * 501}).status_code == 400


def test_a_message_of_somebody_else_is_not_here(vlad: Client) -> None:
    assert vlad.post("/mail/inbox", {"do": "star", "ids": ids(1, 99)}).status_code == 404


def test_the_pulse_changes_with_the_mail_and_says_nothing_else(vlad: Client) -> None:
    before = vlad.get("/mail/inbox/pulse").json()
    vlad.post("/mail/inbox", {"do": "read", "ids": ids(2)})
    after = vlad.get("/mail/inbox/pulse").json()
    assert before == {"pulse": "4-24", "unread": 4}
    assert after == {"pulse": "3-24", "unread": 3}


def test_a_store_that_cannot_serve_says_what_to_do(world: World, vlad: Client) -> None:
    world.reading.fails = StoreBusy("database is locked: /var/lib/secret")
    answer = vlad.get("/mail/inbox")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "The archive does not answer" in answer.text
    assert "secret" not in answer.text


def test_a_full_disk_is_named_and_nothing_else_is(world: World, vlad: Client) -> None:
    world.reading.fails = StoreFull("no room in /var/lib/secret")
    answer = vlad.get("/mail/inbox")
    assert answer.status_code == 503
    assert "disk is full" in answer.text
    assert "secret" not in answer.text


def test_a_failure_of_ours_tells_nothing_of_the_inside(
    world: World, vlad: Client, caplog: pytest.LogCaptureFixture
) -> None:
    world.reading.fails = RuntimeError("Subject: the merger is off")
    answer = vlad.get("/mail/inbox")
    assert answer.status_code == 500
    assert "Something failed on our side" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "merger" not in answer.text
    assert "RuntimeError" in caplog.text
    assert "merger" not in caplog.text


def test_a_place_keeps_only_what_is_unusual() -> None:
    place = Place("inbox", "unread", 2, 1)
    assert place.query() == "?filter=unread&page=2&to=1"
    assert place.query(page=1, to=0) == "?filter=unread"
    assert Place("inbox").query() == ""


def test_each_folder_that_is_offered_is_there(vlad: Client) -> None:
    offered = set(re.findall(r'href="(/mail/[a-z]+)"', vlad.get("/mail/inbox").text))
    assert len(offered) == 7
    assert {vlad.get(path).status_code for path in offered} == {200}


def test_no_mail_can_be_made_a_draft(vlad: Client) -> None:
    assert vlad.post("/mail/inbox", {"do": "drafts", "ids": sample.entry_id(1)}).status_code == 400


def test_sent_names_people_and_offers_no_unread(world: World, vlad: Client) -> None:
    for place, letter in enumerate(world.reading.letters):
        if letter.row.folder == "sent":
            row = replace(letter.row, to=("Hanna Berg <hanna@b.example>", "lars@b.example"))
            world.reading.letters[place] = replace(letter, row=row)
    page = vlad.get("/mail/sent").text
    assert "<bdi>To Hanna Berg, lars@b.example</bdi>" in page
    assert "?filter=unread" not in page
    assert "?filter=unread" in vlad.get("/mail/inbox").text


def test_an_empty_folder_has_nothing_to_tick(vlad: Client) -> None:
    assert "Show the ticks" in vlad.get("/mail/inbox").text
    assert "Show the ticks" not in vlad.get("/mail/archive?filter=starred").text
