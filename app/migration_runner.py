"""Runs Alembic on an open connection. Only `app.migrate` loads this module: it is slow to."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection

from app.resources import resource_dir


def run(connection: Connection) -> None:
    """Upgrade to the newest revision inside the connection's transaction."""
    command.upgrade(configuration(connection), "head")


def configuration(connection: Connection) -> Config:
    """Alembic's settings; there is no alembic.ini."""
    config = Config()
    # Alembic's settings know %-interpolation; a path with a percent sign needs two.
    config.set_main_option("script_location", str(resource_dir("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
