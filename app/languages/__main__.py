"""Brings the catalogues up to the texts of the code: `python -m app.languages`, in a checkout.

New texts are added without a translation, those that nobody says any more go, and what then still
lacks one is told; exit status 1 while anything does. The files are sorted and name no places in
the code, so that two people who add texts on the same day rarely meet.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from app.languages import ENGLISH, LANGUAGES, Language
from app.languages.speech import FOLDER

ROOT = FOLDER.parent.parent
METHODS = [("templates/**.html", "jinja2"), ("app/**.py", "python")]
OPTIONS = {"templates/**.html": {"extensions": "jinja2.ext.i18n", "silent": "false"}}
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "phrase": None,
    "phrases": (1, 2),
}
HEADER = """\
# {name}
msgid ""
msgstr ""
"Language: {tag}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {forms}\\n"

"""
WIDTH = 100


def texts() -> Catalog:
    """Every text of the pages, as the code has it now."""
    found = Catalog()
    for folder, endings in (("templates", ".html"), ("app", ".py")):
        methods = [(pattern, method) for pattern, method in METHODS if pattern.endswith(endings)]
        for _, _, message, _, context in extract_from_dir(
            ROOT / folder,
            [(pattern.removeprefix(f"{folder}/"), method) for pattern, method in methods],
            {pattern.removeprefix(f"{folder}/"): options for pattern, options in OPTIONS.items()},
            KEYWORDS,
        ):
            found.add(message, context=context)
    return found


def path_of(language: Language) -> Path:
    return FOLDER / f"{language.tag}.po"


def read(language: Language) -> Catalog:
    """A catalogue as it lies there; an empty one of a language that is new."""
    if not path_of(language).exists():
        return Catalog(language.locale)
    with path_of(language).open("rb") as file:
        return read_po(file, language.locale)


def write(language: Language, catalogue: Catalog) -> None:
    written = BytesIO()
    write_po(
        written,
        catalogue,
        width=WIDTH,
        no_location=True,
        omit_header=True,
        sort_output=True,
        ignore_obsolete=True,
    )
    header = HEADER.format(
        name=Locale.parse(language.locale).english_name,
        tag=language.tag,
        forms=catalogue.plural_forms,
    )
    path_of(language).write_bytes(header.encode() + written.getvalue())


def untranslated(catalogue: Catalog) -> Iterator[Message]:
    """The texts without a translation, or without one of its plural forms."""
    for message in catalogue:
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and not (all(said) and not message.fuzzy):
            yield message


def main() -> int:
    lacking = 0
    for language in LANGUAGES.values():
        if language == ENGLISH:
            continue
        catalogue = read(language)
        catalogue.update(texts(), no_fuzzy_matching=True)
        write(language, catalogue)
        for message in untranslated(catalogue):
            lacking += 1
            print(f"{language.tag}: {message.id!r}")  # noqa: T201 (a command)
    return int(lacking > 0)


if __name__ == "__main__":
    sys.exit(main())
