"""Nothing to read: a random word of a mail is in no file of the data folder, in any spelling."""

import base64
import hashlib
import re
import secrets
from pathlib import Path

import pytest

from tests.parts.network import wait_until
from tests.parts.seaweedfs import SeaweedFS
from tests.scenarios.conftest import FARTHEST
from tests.scenarios.service import Primary, Service


def canary_mail(word: str) -> bytes:
    """A mail with the word in every place where a mail has words."""
    attachment = base64.b64encode(f"secret {word}\n".encode()).decode()
    return (
        f"From: {word} Berg <hanna-{word}@brightwater.example>\r\n"
        "To: vlad@acme.example\r\n"
        f"Subject: about {word}\r\n"
        f"Message-ID: <{word}@brightwater.example>\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain\r\n\r\nthe {word} stands here\r\n"
        f'--b\r\nContent-Type: text/plain; name="{word}.txt"\r\n'
        f'Content-Disposition: attachment; filename="{word}.txt"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{attachment}\r\n--b--\r\n"
    ).encode()


def spellings(word: str) -> list[bytes]:
    """The word as it could leak: plain, other case, UTF-16, hex, base64 at each offset, hashed."""
    plain = word.encode()
    found = [plain, plain.upper(), word.encode("utf-16-le"), plain.hex().encode()]
    for offset in range(3):
        # Whole groups in the middle do not depend on what stands around the word.
        encoded = base64.b64encode(b"\0" * offset + plain)
        found.append(encoded[4:-4])
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, plain, usedforsecurity=False)
        found += [digest.digest(), digest.hexdigest().encode()]
    return found


def leaks(folder: Path, words: list[str]) -> list[str]:
    """Every file in which a spelling of a word stands."""
    patterns = [re.compile(re.escape(one)) for word in words for one in spellings(word)]
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            octets = path.read_bytes()
            found += [str(path) for pattern in patterns if pattern.search(octets)]
    return found


def test_the_scan_finds_a_word_in_any_spelling(tmp_path: Path) -> None:
    for number, spelt in enumerate(spellings("canary4711")):
        (tmp_path / str(number)).write_bytes(b"x" * 100 + spelt + b"y")
    assert len({path.rpartition("/")[2] for path in leaks(tmp_path, ["canary4711"])}) == len(
        spellings("canary4711")
    )


@pytest.mark.parametrize("made", FARTHEST, indirect=True)
def test_no_word_of_a_mail_is_in_any_file_while_running_or_after_stopping(
    service: Service, primary: Primary, request: pytest.FixtureRequest
) -> None:
    word, waiting = f"kx{secrets.token_hex(8)}", f"kx{secrets.token_hex(8)}"
    sender = f"bounce-{word}@brightwater.example"
    service.send(canary_mail(word), "vlad@acme.example", "maria@acme.example", sender=sender)
    primary.wait_for("vlad@acme.example")
    primary.control.stop()
    service.send(canary_mail(waiting), "vlad@acme.example", f"who-{waiting}@acme.example")

    def indexed() -> bool:
        return all(word in m.subject or waiting in m.subject for m in service.messages())

    wait_until(indexed, "the messages are listed")
    service.must("queue", "list", "--json")
    service.must("maillog", "search", "--to", "vlad", "--json")
    service.must("backup", str(service.folder / "data" / "backup"))
    assert leaks(service.data, [word, waiting]) == []
    if "LIVEARCHIVE_OBJECTS_URL" in service.environment:
        server: SeaweedFS = request.getfixturevalue("seaweedfs")
        assert leaks(server.folder, [word, waiting]) == []
    assert leaks(service.folder, [word, waiting]) == [] or _only_outside(service, word, waiting)
    assert service.stop() == 0
    assert leaks(service.data, [word, waiting]) == []
    assert leaks_in_log(service, [word, waiting]) == []


def _only_outside(service: Service, *words: str) -> bool:
    """The stand-in primary keeps plain mail, as any mail server does; nothing else may."""
    kept = str(service.folder / "primary")
    return all(path.startswith(kept) for path in leaks(service.folder, list(words)))


def leaks_in_log(service: Service, words: list[str]) -> list[bytes]:
    log = service.log.read_bytes()
    return [one for word in words for one in spellings(word) if one in log]
