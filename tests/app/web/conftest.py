"""The site over use cases in memory, and clients signed in to it."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI

from app.web import create_app
from tests.app.web.client import Client
from tests.app.web.double import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def app(world: World) -> FastAPI:
    return create_app(world.services(), world.settings)


@pytest.fixture
def stranger(app: FastAPI) -> Client:
    """Nobody is signed in."""
    return Client(app)


@pytest.fixture
def vlad(app: FastAPI) -> Client:
    """A user, with mail."""
    return Client(app).sign_in()


@pytest.fixture
def sign_in(app: FastAPI) -> Callable[[str], Client]:
    """A client of anybody."""
    return lambda address: Client(app).sign_in(address)
