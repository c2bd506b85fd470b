"""Which language a page gets, and what a marked text reads as."""

import pickle

import pytest

from app.languages import LANGUAGES, chosen
from app.languages.speech import speech_of
from app.phrase import phrase, phrases


@pytest.mark.parametrize(
    ("tag", "accepted", "found"),
    [
        ("", "", "en"),
        ("", "en-GB,en;q=0.9", "en"),
        ("", "nonsense;q=x, ;;, en;q=0", "en"),
        ("xx", "tlh", "en"),
        ("en", "de", "en"),
    ],
)
def test_a_page_is_in_the_chosen_language_else_in_one_the_browser_accepts(
    tag: str, accepted: str, found: str
) -> None:
    assert chosen(tag, accepted).tag == found


def test_a_phrase_reads_as_its_english_wherever_it_goes() -> None:
    text = phrase("A name has %(most)s characters at most, 100 %%.", most=80)
    assert text == "A name has 80 characters at most, 100 %."
    assert f"{ValueError(text)}" == text
    assert phrases("%(num)s day", "%(num)s days", 1) == "1 day"
    assert phrases("%(num)s day", "%(num)s days", 1500) == "1500 days"
    kept = pickle.loads(pickle.dumps(text))
    assert (kept, kept.message, kept.values) == (text, text.message, text.values)


def test_english_says_what_is_written_and_its_numbers() -> None:
    english = speech_of("en")
    assert english.say(phrases("%(num)s day", "%(num)s days", 1500)) == "1,500 days"
    assert english.say(phrase("not a domain: %(it)s", it="x").reading("Not a domain.")) == (
        "Not a domain."
    )
    assert english.say("100 % somebody's own") == "100 % somebody's own"


def test_every_language_is_listed_under_its_tag() -> None:
    assert [language.tag for language in LANGUAGES.values()] == list(LANGUAGES)
