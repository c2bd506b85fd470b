"""Whether somebody writes of an attachment: by words of the languages that our people write in.

Only the writer's own words count, not what is quoted. Scripts without blanks between words, and
those that join an article to its word, are searched for parts of words.
"""

import re
from dataclasses import dataclass

from app.sending.quoting import FORWARDED

_QUOTED = re.compile(r"^>.*$", re.MULTILINE)
_BETWEEN = re.compile(r"[^\w-]+|_")


@dataclass(frozen=True, slots=True)
class Attaching:
    """The words, in lower case: `words` stand alone, `parts` may stand within a word."""

    words: tuple[str, ...]
    parts: tuple[str, ...]
    end: str = FORWARDED  # what follows is another's


ATTACHING = Attaching(
    words=(
        *"attach attached attaching attachment attachments enclosed".split(),
        *"anbei anhang anhänge anhängen angehängt beigefügt beigefügte beigefügten".split(),
        *"beiliegend anliegend anlage anlagen".split(),
        *"ci-joint ci-jointe ci-joints ci-jointes".split(),
        *("pièce jointe", "pièces jointes", "en pj", "ci joint", "ci jointe"),
        *"adjunto adjunta adjuntos adjuntas adjuntar".split(),
        *"anexo anexa anexos anexas anexei anexado anexada anexados".split(),
        *"allegato allegati bijlage bijgevoegd załącznik załączniku bifogat vedlagt".split(),
    ),
    parts=("添付", "別添", "مرفق", "أرفق", "ارفق"),
)


def speaks_of_attachment(text: str) -> bool:
    """Whether the own words of a plain text name one."""
    own = _QUOTED.sub(" ", text.partition(ATTACHING.end)[0].lower())
    said = f" {_BETWEEN.sub(' ', own)} "
    return any(f" {word} " in said for word in ATTACHING.words) or any(
        part in said for part in ATTACHING.parts
    )
