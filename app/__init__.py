"""LiveArchive: people, pages, delivery and the wiring of the packages below."""

__version__ = "0.1.0"
