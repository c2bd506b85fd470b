"""Every event can be told as a sentence."""

from dataclasses import MISSING, fields, replace
from typing import Any

import pytest

from app.audit import events
from app.audit.canonical import Details, details_of
from app.audit.kinds import Kind
from app.audit.wording import is_refusal, sentence
from tests.app.audit.test_canonical import ENTRY, all_events

EXAMPLES: dict[str, Any] = {"str": "word", "bytes": b"b" * 16, "int": 1, "bool": True}


def example(kind: type[events.Event]) -> events.Event:
    values = {
        f.name: EXAMPLES.get(str(f.type), "throttled") for f in fields(kind) if f.default is MISSING
    }
    return kind(**values)


@pytest.mark.parametrize("kind", all_events(), ids=lambda kind: kind.__name__)
def test_every_event_has_a_sentence(kind: type[events.Event]) -> None:
    text = sentence(replace(ENTRY, event=kind.name, details=details_of(example(kind))))
    assert text != kind.name
    assert text[0].isupper()
    assert "{" not in text
    assert "\n" not in text


def test_an_entry_that_lacks_a_detail_is_told_all_the_same() -> None:
    for kind in Kind:
        assert sentence(replace(ENTRY, event=kind, details={}))


def test_an_unknown_event_is_told_by_its_name() -> None:
    assert sentence(replace(ENTRY, event="moon.landed")) == "moon.landed"


def test_failed_log_ins_stand_out() -> None:
    assert is_refusal(replace(ENTRY, event="login.failed"))
    assert not is_refusal(ENTRY)


def test_numbers_agree_with_their_nouns() -> None:
    two: Details = {"count": 2, "address": "a@b.example", "reason": "request 7"}
    entry = replace(ENTRY, event=Kind.MESSAGES_EXPORTED, details=two)
    assert sentence(entry) == "Exported 2 messages of a@b.example, because: request 7"
    entry = replace(ENTRY, event=Kind.OUTAGE_ENDED, details={"domain": "d", "lasted_seconds": 60})
    assert sentence(entry) == "The mail server of d answers again, after 1 minute"
