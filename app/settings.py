"""Settings that are changed while the product runs, kept in the database.

What is needed before the database is open stands in `app.config`. Each setting here is an
object with its type, so a reader gets a value and never a text; a row that this version
does not know, or cannot read, counts as not set.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from app import audit
from app.accounts.errors import Invalid
from app.accounts.permissions import Permission, require
from app.audit.events import SettingChanged
from app.models import Setting
from app.viewer import Actor, Viewer

T = TypeVar("T")
LONGEST_NOTICE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSetting(Generic[T]):
    """One setting. `parse` raises ValueError; `expects` says what would be right."""

    name: str
    default: T
    expects: str
    parse: Callable[[str], T]
    show: Callable[[T], str]


def _notice(text: str) -> str:
    clean = text.strip()
    controls = {c for c in clean if unicodedata.category(c) == "Cc"} - {"\n"}
    if controls or len(clean) > LONGEST_NOTICE:
        raise ValueError("not a notice")
    return clean


LOGIN_NOTICE = RuntimeSetting(
    name="login-notice",
    default="",
    expects=f"a text of at most {LONGEST_NOTICE} characters",
    parse=_notice,
    show=str,
)
"""A text on the log-in page: whom to ask on the day of an outage."""

RUNTIME_SETTINGS = (LOGIN_NOTICE,)


def get(tx: Session, setting: RuntimeSetting[T]) -> T:
    """The value, or the default when it was never set."""
    row = tx.get(Setting, setting.name)
    if row is None:
        return setting.default
    try:
        return setting.parse(row.value)
    except ValueError:
        return setting.default


def put(
    tx: Session, who: Viewer | Actor, setting: RuntimeSetting[T], text: str, now: datetime
) -> None:
    """Set a value from its text; setting what is set already is no change."""
    actor = require(who, Permission.MANAGE_INSTALLATION, None)
    try:
        new = setting.parse(text)
    except ValueError as error:
        raise Invalid(setting.name, f"{setting.name}: expected {setting.expects}") from error
    old = get(tx, setting)
    if old == new:
        return
    tx.merge(Setting(name=setting.name, value=setting.show(new), changed_at=now))
    event = SettingChanged(setting=setting.name, old=setting.show(old), new=setting.show(new))
    audit.record(tx, event, trail=None, actor=actor, at=now)
