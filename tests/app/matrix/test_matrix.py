"""Who may what: every route x everybody x whose thing it is, tried on the real parts."""

import asyncio

from tests.app.conftest import World
from tests.app.matrix.cells import Matrix
from tests.app.matrix.estate import Estate


def test_nobody_gets_what_is_anothers_and_cannot_tell_that_it_is_there(world: World) -> None:
    matrix = Matrix(Estate(world), brief=True)
    outcome = asyncio.run(matrix.run())
    assert outcome.wrong == []
    assert outcome.cells > len(matrix.estate.lines) * len(matrix.callers)
