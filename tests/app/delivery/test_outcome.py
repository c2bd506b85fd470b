import pytest

from app.delivery.outcome import (
    TEXT_CHARACTERS,
    Answer,
    Deferred,
    Delivered,
    Failed,
    judged,
    readable,
)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (250, Delivered),
        (251, Delivered),
        (421, Deferred),
        (550, Failed),
        (-1, Deferred),
        (354, Deferred),
    ],
)
def test_the_class_of_a_reply_decides_and_what_is_no_reply_is_temporary(
    code: int, kind: type
) -> None:
    assert type(judged(code, "text", "mx")) is kind


@pytest.mark.parametrize(
    ("code", "text", "status"),
    [
        (550, "5.1.1 no such user", "5.1.1"),
        (550, "no such user", "5.0.0"),
        (450, "4.2.2", "4.2.2"),
        (0, "4.4.1 no contact", "4.4.1"),
        (0, "lost", "4.0.0"),
        (550, "5.1.12345 odd", "5.0.0"),
    ],
)
def test_the_enhanced_status_is_the_servers_or_that_of_its_class(
    code: int, text: str, status: str
) -> None:
    assert Answer(code, text).status == status


@pytest.mark.parametrize(
    ("text", "queue_id"),
    [
        ("2.0.0 Ok: queued as 4Xyz1", "4Xyz1"),
        ("OK id=1tAbcd-000001-2B", "1tAbcd-000001-2B"),
        ("2.0.0 fine", ""),
    ],
)
def test_the_servers_queue_id_is_found_where_it_tells(text: str, queue_id: str) -> None:
    assert Delivered(250, text).queue_id == queue_id


def test_what_a_server_says_becomes_one_short_printable_line() -> None:
    said = "no\r\nX-Injected: yes\x1b[31m\udcff" + "é" * 2000
    shown = readable(said)
    assert shown.startswith("no X-Injected: yes [31m é")
    assert shown.isprintable()
    assert len(shown) <= TEXT_CHARACTERS
