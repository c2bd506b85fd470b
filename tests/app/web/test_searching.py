"""Searching: the words stand in no address, and the page can be gone back to."""

import re
from dataclasses import replace

import pytest

from app.web.recall import COOKIE_LIMIT, KEEP, LONGEST
from tests.app.web.client import Client
from tests.app.web.double import World


def search(client: Client, words: str) -> str:
    answer = client.post("/search", {"q": words})
    assert answer.status_code == 303
    return answer.headers["location"]


def test_the_words_are_in_no_address(vlad: Client) -> None:
    where = search(vlad, "merger berg")
    assert re.fullmatch(r"/search/[\w-]{8}", where)
    page = vlad.get(where).text
    assert [
        link for link in re.findall(r'(?:href|action)="([^"]*)"', page) if "merger" in link
    ] == []


def test_what_fits_is_found_and_marked(world: World, vlad: Client) -> None:
    page = vlad.get(search(vlad, "order")).text
    assert world.reading.calls == [("search", "order")]
    assert "Purchase <mark>order</mark> 4471" in page
    assert 'value="order"' in page


def test_how_it_was_understood_is_shown(vlad: Client) -> None:
    page = vlad.get(search(vlad, "order has:attachment foo:bar")).text
    assert "<b>has:</b><bdi>attachment</bdi>" in page
    assert '<span class="chip chip-bad"><b>foo:</b><bdi>bar</bdi>' in page


def test_words_cannot_become_markup(vlad: Client) -> None:
    page = vlad.get(search(vlad, '<script>alert(1)</script> "')).text
    assert "<script>alert" not in page
    assert "Nothing found" in page


def test_pages_of_a_search_are_links(vlad: Client) -> None:
    where = search(vlad, "e")
    first = vlad.get(where).text
    assert f'rel="next" href="{where}?page=2"' in first
    assert vlad.get(f"{where}?page=2").status_code == 200
    assert vlad.get(f"{where}?page=99").status_code == 404


def test_a_search_can_be_gone_back_to_until_others_push_it_out(vlad: Client) -> None:
    where = [search(vlad, f"word{n}") for n in range(KEEP + 1)]
    assert vlad.get(where[0]).headers["location"] == "/search"
    for n in range(1, KEEP + 1):
        assert f'value="word{n}"' in vlad.get(where[n]).text


def test_the_cookie_stays_small_and_private(vlad: Client) -> None:
    for n in range(KEEP):
        search(vlad, f"{n}" + "é" * (LONGEST - 1))
    answer = vlad.post("/search", {"q": "last"})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "Max-Age=900" in cookie
    assert len(vlad.cookies["find"]) <= COOKIE_LIMIT


@pytest.mark.parametrize("value", ["x", "e30=", "W10=", "bnVsbA==", "eyJhIjogM30=", "////", "é"])
def test_a_broken_cookie_is_nothing_remembered(vlad: Client, value: str) -> None:
    cookie = f"la={vlad.cookies['la']}; find={value}".encode()
    answer = vlad.get("/search/abcdefgh", headers=[("cookie", cookie)])
    assert answer.headers["location"] == "/search"


def test_no_words_lead_to_the_help(vlad: Client) -> None:
    assert search(vlad, "  ") == "/search"
    assert "from:hanna" in vlad.get("/search").text


def test_a_find_in_another_folder_opens_there(vlad: Client) -> None:
    assert 'href="/mail/spam/' in vlad.get(search(vlad, "won")).text


def test_marks_escape_what_they_mark_once(world: World, vlad: Client) -> None:
    letter = world.reading.letters[0]
    row = replace(letter.row, subject="Nuts & bolts <b>", sender_name="Amp & Co")
    world.reading.letters[0] = replace(letter, row=row)
    page = vlad.get(search(vlad, "amp")).text
    assert "<mark>Amp</mark> &amp; Co" in page
    assert "Nuts &amp; bolts &lt;b&gt;" in page


def test_it_says_which_folders_were_searched(vlad: Client) -> None:
    assert "newest first, without spam and trash" in vlad.get(search(vlad, "order")).text
    assert "without spam and trash" not in vlad.get(search(vlad, "order in:trash")).text


def test_a_word_that_was_not_understood_says_so_in_words(vlad: Client) -> None:
    page = vlad.get(search(vlad, "before:never")).text
    assert '<span class="chip-why">not understood</span>' in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ('"order', "A quotation mark is not closed"),
        ("(order", "A parenthesis is not closed"),
        ("order )", "A parenthesis is closed that none has opened"),
        ("(" * 11 + "order", "more than ten parentheses"),
        ("order from:", "from: has no word after it"),
        ("order OR", "OR stands between two words"),
        ("before:never", "before:never names no day"),
        ("larger:huge", "larger:huge names no size"),
        ("is:red", "is:red is unknown"),
        ("has:wings", "has:wings is unknown"),
        ("in:there", "in:there names no folder"),
        ("form:hanna", "Did you mean from:?"),
        ("a " * 60, "Only the first fifty words"),
    ],
)
def test_what_makes_no_sense_is_explained_beside_the_box(
    vlad: Client, words: str, said: str
) -> None:
    page = vlad.get(search(vlad, words)).text
    assert said in page
    assert 'id="search-note"' in page
    assert 'aria-describedby="search-note"' in page


def test_a_search_that_makes_sense_has_no_note(vlad: Client) -> None:
    assert "search-note" not in vlad.get(search(vlad, "order (from:hanna OR -to:x)")).text


def test_an_opened_message_has_its_hits_marked(vlad: Client) -> None:
    where = search(vlad, "delivery")
    found = vlad.get(where).text
    link = re.search(r'href="(/mail/inbox/[a-z2-7]{26}[?]found=[^"]+)" data-row', found)
    assert link is not None
    page = vlad.get(link[1]).text
    assert re.search(r"<h1[^>]*>[^\n]*<mark>delivery</mark>", page)
    assert f'href="{where}"' in page  # the way back
    frame = re.search(r'<iframe[^>]* src="([^"]+)"', page)
    assert frame is not None
    assert "delivery" not in frame[1]
    assert re.search("<mark>delivery</mark>", vlad.get(frame[1]).text, re.IGNORECASE)
    assert "<mark>" not in vlad.get(frame[1].partition("?")[0]).text


def test_a_search_that_is_forgotten_marks_nothing(vlad: Client) -> None:
    found = vlad.get(search(vlad, "delivery")).text
    link = re.search(r'href="(/mail/inbox/[a-z2-7]{26})[?]found=[^"]+" data-row', found)
    assert link is not None
    page = vlad.get(f"{link[1]}?found=AAAAAAAA")
    assert page.status_code == 200
    assert "<mark>" not in page.text
    assert "?found=" not in page.text
    assert vlad.get(f"{link[1]}/body?found=AAAAAAAA").status_code == 200


@pytest.mark.parametrize("letter", ["a", "ż", "見", "\U0001f4e8"])
def test_a_search_is_as_long_as_it_may_be_or_refused_aloud(
    world: World, vlad: Client, letter: str
) -> None:
    vlad.get(search(vlad, letter * LONGEST))
    assert world.reading.calls == [("search", letter * LONGEST)]
    answer = vlad.post("/search", {"q": letter * (LONGEST + 1)})
    assert answer.status_code == 422
    assert "at most 600 characters" in answer.text
    assert letter * (LONGEST + 1) in answer.text  # nothing typed is lost
    assert len(world.reading.calls) == 1
