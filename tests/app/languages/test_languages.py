"""Which language a page gets, and what a marked text reads as."""

import pickle
from datetime import date

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


def test_each_number_has_its_plural() -> None:
    arabic = speech_of("ar")
    said = {
        n: arabic.ngettext("%(num)s message", "%(num)s messages", n) for n in (1, 2, 3, 11, 100)
    }
    assert len(set(said.values())) == 4  # 11 and 100 differ in the cases of other nouns only
    german = speech_of("de")
    assert german.say(phrases("%(num)s message", "%(num)s messages", 1)) == "1 Nachricht"
    assert german.say(phrases("%(num)s message", "%(num)s messages", 1200)) == "1.200 Nachrichten"
    assert speech_of("ja").say(phrases("%(num)s message", "%(num)s messages", 1)) == "1通"


def test_a_phrase_in_a_phrase_is_said_too() -> None:
    what = phrase("%(one)s %(rest)s", one=phrase("Delivered"), rest="x")
    assert speech_of("de").say(what) == "Zugestellt x"


def test_sizes_and_days_are_written_as_the_language_does() -> None:
    day = date(2026, 11, 24)
    assert speech_of("fr").size(4_100_000) == "4,1\u202fMo"
    assert speech_of("de").day(day, LANGUAGES["de"].long_day) == "Dienstag, 24. November"
    assert speech_of("ja").day(day, LANGUAGES["ja"].whole_day) == "2026年11月24日火曜日"
    assert speech_of("ar").day(day, LANGUAGES["ar"].short_day) == "الثلاثاء، 24 نوفمبر"
