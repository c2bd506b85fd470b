"""The envelope under its seal."""

import json

import pytest

from archive_store import seal
from archive_store.envelope import DsnWishes, Envelope

KEY, PLACE = b"k" * 32, b"place"


@pytest.mark.parametrize(
    "dsn", [None, DsnWishes(), DsnWishes("NEVER", "rfc822;a@b.example", "HDRS", "QQ1")]
)
def test_it_opens_as_it_was(dsn: DsnWishes | None) -> None:
    envelope = Envelope("a@b.example", "c@d.example", "helo", "192.0.2.1", "ESMTP", dsn=dsn)
    assert Envelope.open(KEY, envelope.seal(KEY, PLACE), PLACE) == envelope


def test_a_sender_without_wishes_leaves_nothing_of_them() -> None:
    sealed = Envelope("a@b.example", "c@d.example").seal(KEY, PLACE)
    plain = seal.unpad(seal.open_box(seal.derive(KEY, "envelope"), sealed, PLACE))
    assert "dsn" not in json.loads(plain)


@pytest.mark.parametrize(
    ("notify", "success", "failure"),
    [
        ("", False, True),
        ("NEVER", False, False),
        ("SUCCESS", True, False),
        ("DELAY", False, False),
        ("FAILURE,SUCCESS", True, True),
    ],
)
def test_a_sender_who_says_nothing_hears_of_failures(
    notify: str, success: bool, failure: bool
) -> None:
    wishes = DsnWishes(notify)
    assert (wishes.of_success, wishes.of_failure) == (success, failure)
