"""The mail that is there when somebody looks at the demo for the first time."""

from datetime import datetime

from app.demo.traffic import lists, office, orders, partners, services, world
from app.demo.traffic.letter import Letter, Times


def first_batch(now: datetime) -> list[Letter]:
    """About 45 letters of the past days, oldest first, none of them from the future."""
    times = Times(now)
    sources = (orders, office, partners, world, lists, services)
    letters = [letter for source in sources for letter in source.all_letters(times)]
    return sorted(letters, key=lambda letter: letter.at)
