"""The languages of the pages: which there are, and which one a request asks for.

    __init__   the table, and the choice
    speech     texts, numbers, sizes and days in one language
    *.po       the catalogues, read when their language is first asked for

Commands, logs and SMTP replies are English and know nothing of this.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Language:
    """One language. The days are CLDR patterns; hours are of 24, as CLDR's `Hm` in all of them."""

    tag: str  # BCP 47; also the name of its catalogue
    name: str  # in itself
    locale: str  # of CLDR, for numbers and days
    whole_day: str
    long_day: str
    short_day: str
    date: str
    direction: Literal["ltr", "rtl"] = "ltr"


ENGLISH = Language("en", "English", "en_GB", "EEEE d MMMM y", "EEEE d MMMM", "EEE d MMM", "d MMM")
LANGUAGES = {
    language.tag: language
    for language in (
        ENGLISH,
        Language(
            "de", "Deutsch", "de", "EEEE, d. MMMM y", "EEEE, d. MMMM", "EEE, d. MMM", "d. MMM"
        ),
        Language(
            "es",
            "Español",
            "es",
            "EEEE, d 'de' MMMM 'de' y",
            "EEEE, d 'de' MMMM",
            "EEE, d MMM",
            "d MMM",
        ),
        Language("fr", "Français", "fr", "EEEE d MMMM y", "EEEE d MMMM", "EEE d MMM", "d MMM"),
        Language(
            "pt",
            "Português",
            "pt",
            "EEEE, d 'de' MMMM 'de' y",
            "EEEE, d 'de' MMMM",
            "EEE, d 'de' MMM",
            "d 'de' MMM",
        ),
        Language("ja", "日本語", "ja", "y年M月d日EEEE", "M月d日EEEE", "M月d日(EEE)", "M月d日"),
        Language(
            "ar", "العربية", "ar", "EEEE، d MMMM y", "EEEE، d MMMM", "EEEE، d MMM", "d MMM", "rtl"
        ),
    )
}


def chosen(tag: str, accepted: str) -> Language:
    """The language of a page: the reader's choice, else what the browser accepts, else English.

    `accepted` is the header Accept-Language (RFC 9110 section 12.5.4); of "pt-BR" we have "pt".
    """
    if tag in LANGUAGES:
        return LANGUAGES[tag]
    for wanted in _by_preference(accepted):
        found = LANGUAGES.get(wanted.partition("-")[0])
        if found:
            return found
    return ENGLISH


def _by_preference(accepted: str) -> list[str]:
    weighed = []
    for part in accepted.lower().split(",")[:20]:
        tag, _, weight = part.replace(" ", "").partition(";q=")
        try:
            weighed.append((float(weight or 1), tag))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighed, key=lambda one: -one[0]) if weight > 0]
