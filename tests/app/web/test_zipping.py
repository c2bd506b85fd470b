"""All attachments as one archive: safe names, each once, whole octets, and only for their owner."""

import io
import zipfile
from collections.abc import Callable, Iterator

import pytest

from app.web.zipping import zipped
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

ZIP = f"/mail/inbox/{sample.entry_id(1)}/attachments.zip"


def names(*given: str) -> list[str]:
    octets = b"".join(zipped(((name, b"x") for name in given), sample.NOW))
    return zipfile.ZipFile(io.BytesIO(octets)).namelist()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a.pdf", "b.pdf"], ["a.pdf", "b.pdf"]),
        (
            ["a.pdf", "A.PDF", "a.pdf", "a (2).pdf"],
            ["a.pdf", "A (2).PDF", "a (3).pdf", "a (2) (2).pdf"],
        ),
        (["../../etc/passwd", "/etc/passwd", "C:\\x\\y.txt"], ["passwd", "passwd (2)", "y.txt"]),
        (["", "..", ".", "\u202e"], ["attachment", *(f"attachment ({n})" for n in (2, 3, 4))]),
        (["Grüße.txt", "report\x00\r\n.txt"], ["Grüße.txt", "report  .txt"]),
    ],
)
def test_names_are_safe_and_each_is_there_once(given: list[str], expected: list[str]) -> None:
    assert names(*given) == expected


def test_a_file_is_asked_for_only_when_its_turn_comes() -> None:
    asked = []

    def files() -> Iterator[tuple[str, bytes]]:
        for name in ("a", "b"):
            asked.append(name)
            yield name, b"x" * 100_000

    pieces = zipped(files(), sample.NOW)
    assert len(next(pieces)) > 100_000
    assert asked == ["a"]


def test_the_archive_of_a_message(
    vlad: Client, world: World, sign_in: Callable[[str], Client], stranger: Client
) -> None:
    assert f'href="{ZIP}"' in vlad.get(f"/mail/inbox/{sample.entry_id(1)}").text
    assert "attachments.zip" not in vlad.get(f"/mail/inbox/{sample.entry_id(3)}").text
    answer = vlad.get(ZIP)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert 'filename="attachments.zip"' in answer.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    assert archive.namelist() == ["PO-4471 signed.pdf", "Packing list 4471.xlsx"]
    assert archive.read("PO-4471 signed.pdf") == b"%PDF-1.7 sample"
    assert ("attachments", sample.entry_id(1)) in world.reading.calls
    assert stranger.get(ZIP).status_code == 303
    assert sign_in("audit@acme.example").get(ZIP).status_code == 404
