"""Texts, numbers, sizes and days in one language.

A `Speech` is made once a process and language, from the catalogue that lies beside this file as
text: there is nothing to compile, and nothing that could be older than its source. It never
changes, so threads share it; nothing here asks which request is being answered. What a catalogue
lacks is said in English. Days and numbers are CLDR's (Babel), digits the European ones everywhere,
since addresses and times have them too.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache, cached_property, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.core import get_global
from babel.dates import format_date, get_day_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.units import format_unit

from app.languages import ENGLISH, LANGUAGES, Language
from app.phrase import Phrase
from archive_store.mime.folding import fold

FOLDER = Path(__file__).resolve().parent
KILO = 1000
UNITS = ("byte", "kilobyte", "megabyte", "gigabyte")


def catalogue(language: Language) -> NullTranslations:
    """The texts of a language; English has them in the code."""
    if language == ENGLISH:
        return NullTranslations()
    with (FOLDER / f"{language.tag}.po").open("rb") as file:
        messages = read_po(file, language.locale)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return GNUTranslations(compiled)


@cache
def speech_of(tag: str) -> "Speech":
    """The speech of one of `LANGUAGES`."""
    language = LANGUAGES[tag]
    return Speech(language, catalogue(language))


class Speech:
    """One language, ready to speak."""

    def __init__(self, language: Language, catalogue: NullTranslations) -> None:
        self.language = language
        self.gettext = catalogue.gettext
        self.ngettext = catalogue.ngettext
        self.pgettext = catalogue.pgettext
        self.comma = catalogue.pgettext("between a day and a time", ", ")
        self.separator = catalogue.pgettext("between two of a list", ", ")
        self._locale = Locale.parse(language.locale)
        # A page asks for the same few hundreds of times.
        self.weekday = lru_cache(20)(self._weekday)
        self.day = lru_cache(500)(self._day)
        self.size = lru_cache(500)(self._size)

    def say(self, text: str) -> str:
        """A phrase in this language; any other text is somebody's own, and stays as it is."""
        if not isinstance(text, Phrase):
            return text
        values = self.said(text.values)
        if text.many:
            said = self.ngettext(text.message, text.many, text.number)
            return said % {"num": self.number(text.number), **values}
        said = self.gettext(text.message)
        # Without a translation it reads as whoever wrote it wants its English to read.
        english = said == text.message and values == text.values
        return str(text) if english else said % values

    def number(self, value: int) -> str:
        """1,180; 1.180; 1 180"""
        return str(value) if 0 <= value < KILO else format_decimal(value, locale=self._locale)

    def said(self, values: Mapping[str, object]) -> Mapping[str, object]:
        """Values of a text: those that are phrases themselves, in this language."""
        return {
            name: self.say(value) if isinstance(value, Phrase) else value
            for name, value in values.items()
        }

    @cached_property
    def zones(self) -> list[tuple[str, str]]:
        """The time zones of places: their names; country and city, in the order of these."""
        cities = {
            name: str(zone["city"])
            for name, zone in self._locale.time_zones.items()
            if "city" in zone
        }
        # CLDR knows some cities by the name that their zone had first.
        cities |= {
            now: cities[old] for old, now in get_global("zone_aliases").items() if old in cities
        }
        places = [
            (name, self._place(cities.get(name, name.rpartition("/")[2].replace("_", " ")), land))
            for name, land in get_global("zone_territories").items()
            if not name.startswith("Etc/")
        ]
        return sorted(places, key=lambda zone: fold(zone[1]))

    def _place(self, city: str, land: str) -> str:
        country = str(self._locale.territories.get(land, land))
        return city if city == country else f"{country}{self.separator}{city}"

    def _size(self, octets: int) -> str:
        """218 kB, 4.1 MB; 4,1 Mo"""
        value, unit = float(octets), 0
        while value >= KILO and unit < len(UNITS) - 1:
            value, unit = value / KILO, unit + 1
        shown = "0.0" if value < 10 and unit > 1 else "0"
        return format_unit(value, UNITS[unit], "short", format=shown, locale=self._locale)

    def _weekday(self, day: date) -> str:
        return str(get_day_names("wide", "stand-alone", self._locale)[day.weekday()])

    def initial(self, day: date) -> str:
        """The weekday in the narrowest form, for a drawing."""
        return str(get_day_names("narrow", "stand-alone", self._locale)[day.weekday()])

    def _day(self, day: date, pattern: str) -> str:
        """A day of the calendar by a CLDR pattern."""
        return format_date(day, pattern, self._locale)
