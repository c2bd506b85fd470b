"""What a mail says of leaving its list: whose word is taken, and which addresses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.leaving_views import Leaving
from app.reading.leaving import leaving_of
from app.views import SenderCheck

OFFER = "List-Unsubscribe: <https://news.example/u?t=1>,\r\n <mailto:leave@news.example>\r\n"
POST = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
BOTH = "from:subject:List-Unsubscribe:list-unsubscribe-post"
URL, MAIL = "https://news.example/u?t=1", "leave@news.example"


def signed(names: str = BOTH, domain: str = "news.example") -> str:
    return f"DKIM-Signature: v=1; a=rsa-sha256; d={domain}; s=x;\r\n\th={names};\r\n\tb=AA\r\n"


def found(head: str, *results: tuple[str, str, str]) -> Leaving | None:
    said = results or (("DKIM", "pass", "news.example"),)
    check = SenderCheck(by="mx", domain="news.example", passed=True, failed=False, results=said)
    return leaving_of((head + "Subject: News\r\n\r\nHello\r\n").encode(), check)


def test_a_signed_list_is_left_by_a_press_or_a_letter() -> None:
    assert found(signed() + OFFER + POST) == Leaving(url=URL, mail=MAIL)
    several = found(signed() + OFFER + POST, ("DKIM", "fail", "x.example"), *RESULTS)
    assert several == Leaving(url=URL, mail=MAIL)


RESULTS = (("DKIM", "pass", "news.example"),)
UNPRESSED = {
    "no such field": (signed() + OFFER, RESULTS),
    "another word": (signed() + OFFER + POST.replace("One", "Two"), RESULTS),
    "the word twice": (signed() + OFFER + POST + POST, RESULTS),
    "no signature": (OFFER + POST, RESULTS),
    "one field unsigned": (signed("from:list-unsubscribe") + OFFER + POST, RESULTS),
    "of another domain": (signed(domain="evil.example") + OFFER + POST, RESULTS),
    "a second signature, put in": (signed() + signed("from") + OFFER + POST, RESULTS),
    "a bad signature": (signed() + OFFER + POST, (("DKIM", "fail", "news.example"),)),
    "only SPF": (signed() + OFFER + POST, (("SPF", "pass", "news.example"),)),
    "plain http": (signed() + OFFER.replace("https", "http") + POST, RESULTS),
    "another port": (signed() + OFFER.replace("example/", "example:8443/") + POST, RESULTS),
}


@pytest.mark.parametrize("why", UNPRESSED)
def test_nothing_is_pressed_on_a_strangers_word(why: str) -> None:
    head, results = UNPRESSED[why]
    assert found(head, *results) == Leaving(mail=MAIL)


def test_without_a_checker_and_with_two_fields_there_is_less() -> None:
    octets = (signed() + OFFER + POST + "\r\nHello").encode()
    assert leaving_of(octets, None) == Leaving(mail=MAIL)
    assert found(signed() + OFFER + OFFER + POST) is None
    assert found(signed() + POST) is None
    assert leaving_of(b"Subject: x\r\n\r\n" + OFFER.encode(), None) is None  # the body


@pytest.mark.parametrize(
    ("place", "leaving"),
    [
        (
            "mailto:l@x.example?subject=un%20sub%0D%0ABcc:z&body=a%0Ab&cc=y@z",
            Leaving(mail="l@x.example", subject="un sub Bcc:z", text="a\nb"),
        ),
        ("MAILTO:l%2B1@x.example", Leaving(mail="l+1@x.example")),
        ("mailto:a@x.example,b@x.example", None),
        ("mailto:?to=a@x.example", None),
        ("javascript:alert(1)", None),
        ("https://[bad", None),
    ],
)
def test_a_letter_has_one_address_and_no_other_fields(place: str, leaving: Leaving | None) -> None:
    assert found(f"List-Unsubscribe: <{place}>\r\n") == leaving


@given(st.text(alphabet="<>;:=,@mailtohps/%\r\n \t", max_size=200) | st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_malformed_fields_raise_nothing(said: str) -> None:
    head = f"List-Unsubscribe: {said}\r\nDKIM-Signature: {said}\r\n{POST}{signed()}\r\n"
    leaving_of(head.encode("utf-8", "surrogatepass"), None)
