"""The catalogues: every text has a translation, and its values have their places in it."""

import re
from collections.abc import Iterator

import pytest
from babel.messages import Catalog, Message

from app.languages import ENGLISH, LANGUAGES, Language
from app.languages.__main__ import read, texts, untranslated
from app.languages.speech import speech_of

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
OTHERS = [language for language in LANGUAGES.values() if language != ENGLISH]


def translations(message: Message) -> Iterator[tuple[str, str]]:
    """Each translation, with the text it stands for."""
    if isinstance(message.id, tuple):
        forms = message.string if isinstance(message.string, tuple) else ()
        yield from ((message.id[1], said) for said in forms if said)
    elif message.id and message.string:
        yield str(message.id), str(message.string)


@pytest.fixture(scope="module")
def said() -> Catalog:
    """Every text of the code."""
    return texts()


@pytest.mark.parametrize("language", OTHERS, ids=lambda language: language.tag)
def test_every_text_has_a_translation(said: Catalog, language: Language) -> None:
    catalogue = read(language)
    catalogue.update(said, no_fuzzy_matching=True)
    lacking = "\n".join(f"  {message.id!r}" for message in untranslated(catalogue))
    assert not lacking, (
        f"app/languages/{language.tag}.po has no translation of these texts; "
        f"`.venv/bin/python -m app.languages` puts them there, to be filled in:\n{lacking}"
    )


@pytest.mark.parametrize("language", OTHERS, ids=lambda language: language.tag)
def test_a_translation_has_the_values_of_its_text(language: Language) -> None:
    offenders = []
    for message in read(language):
        for text, said in translations(message):
            wanted, found = set(PLACEHOLDER.findall(text)), set(PLACEHOLDER.findall(said))
            # "One message", "two messages": a number may stand there as a word.
            if found - wanted or wanted - found - {"num"}:
                offenders.append(f"{said!r} for {text!r}")
            elif re.search("[<>&]", said) and not re.search("[<>&]", text):
                offenders.append(f"markup in {said!r}")
            else:
                assert "%" not in PLACEHOLDER.sub("", said).replace("%%", ""), said
    assert not offenders, "\n".join(offenders)


@pytest.mark.parametrize("language", OTHERS, ids=lambda language: language.tag)
def test_a_plural_has_as_many_forms_as_its_language(language: Language) -> None:
    for message in read(language):
        forms = message.string
        if isinstance(message.id, tuple) and isinstance(forms, tuple) and any(forms):
            assert len(forms) == read_forms(language), message.id


def read_forms(language: Language) -> int:
    return {"ar": 6, "ja": 1}.get(language.tag, 2)


def test_a_page_from_right_to_left_says_so() -> None:
    assert [language.tag for language in OTHERS if language.direction == "rtl"] == ["ar"]
    assert speech_of("ar").language.direction == "rtl"
