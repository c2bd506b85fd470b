"""The pictures that rich text shows: files of the letter, named in it as `cid:` and their name.

The page names those that somebody puts in (`picture-` and sixteen digits), and we those of the
answered message (`source-` and the number of its file). No other name is a picture's.
"""

import re
from typing import Final

PICTURE: Final = re.compile(r"(?:picture-[0-9a-f]{16}|source-(\d{1,4}))\.(?:png|jpg|gif|webp)")
_SHOWN: Final = re.compile(rf'\bsrc="cid:({PICTURE.pattern})"')
_EXTENSIONS: Final = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
}


def shown_in(html: str) -> dict[str, int | None]:
    """The names of the pictures that are shown, each with its number in the answered message."""
    return {name: int(index) if index else None for name, index in _SHOWN.findall(html)}


def renamed(html: str, ids: dict[str, str]) -> str:
    """The text with the Content-IDs of its pictures in the place of their names."""
    return _SHOWN.sub(lambda found: f'src="cid:{ids.get(found[1], found[1])}"', html)


def picture_name(index: int, content_type: str) -> str | None:
    """The name of a picture of the answered message; None: it is of no kind that is shown."""
    extension = _EXTENSIONS.get(content_type)
    return f"source-{index}.{extension}" if extension else None
