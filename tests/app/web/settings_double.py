"""The settings that the pages of the tests have."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    public_url: str = "http://127.0.0.1:8025"
    keep_days: int = 7
    mailbag_days: int = 7
    undo_seconds: int = 15
    offline: bool = True
