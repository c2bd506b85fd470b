"""The folders the product reads at run time: pages, their assets, database migrations.

In a wheel they lie inside the package, put there by the build; in a checkout they are the
repository's top-level folders. A missing folder means a broken installation: RuntimeError names it.
"""

from pathlib import Path
from typing import Literal

Resource = Literal["static", "templates", "migrations"]

_PACKAGE = Path(__file__).resolve().parent


def resource_dir(name: Resource) -> Path:
    """The folder of that name, from the wheel or from the checkout."""
    places = (_PACKAGE / "_bundle" / name, _PACKAGE.parent / name)
    for place in places:
        if place.is_dir():
            return place
    raise RuntimeError(
        f"the folder {name!r} is missing from this installation of LiveArchive; "
        f"looked in {places[0]} and {places[1]}: install it again"
    )
