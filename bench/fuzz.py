"""Fuzzing what reads strangers' octets, led by coverage: `python -m bench.fuzz TARGET --seconds N`.

Needs `atheris` (libFuzzer), which no test and no installation needs otherwise. Inputs that found
new paths are kept in `--corpus` (a folder for each target below it), and the next run begins with
them and with the project's own samples. The first input that breaks a promise ends the run with a
traceback, exit status not 0, and its octets in `crash-…`: it becomes a test in `tests/corpus`.

Targets: mime (parser, summary, words), journal (reports of Exchange), sanitizer (HTML and style),
query (the search box), smtp (commands and data in any pieces), proxy (PROXY headers).
"""

import argparse
import contextlib
import re
import sys
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from pathlib import Path

import atheris  # type: ignore[import-untyped] # no stubs

with atheris.instrument_imports(include=["app", "archive_store", "smtp_ingest"]):
    from app.web.sanitize import sanitize_html
    from archive_store.mime.parse import attachment_octets, inline_images, read_message
    from archive_store.mime.summary import Summary, summarise, words
    from archive_store.search.parsing import parse_query
    from smtp_ingest.journal_report import NotRead, read_report
    from smtp_ingest.proxy_header import BadHeader, read_header
    from tests.corpus import hostile, markup, ordinary, reports
    from tests.corpus.vectors import published
    from tests.smtp_ingest.doubles import BODY, ENVELOPE, HELLO, Conversation

_REPLY = re.compile(rb"(?:[2-5]\d\d[ -][^\r\n]*\r\n)*")
_LEADS_TO = re.compile(r"(?i)https?:|mailto:|tel:|data:image/|#|cid:")
_LONGEST = 20_000  # octets of one input


def mime(octets: bytes) -> None:
    """Nothing raises, and a summary comes back as it was stored."""
    message = read_message(octets)
    row = summarise(message)
    assert Summary.from_bytes(row.to_bytes()) == row
    words(message).encode("utf-8")
    for attachment in message.attachments[:3]:
        attachment_octets(octets, attachment.index)
    inline_images(octets)


def journal(octets: bytes) -> None:
    """A report is read, or refused by its one error."""
    with contextlib.suppress(NotRead):
        read_report(octets)


class _Acting(HTMLParser):
    """Fails on what could act or fetch."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "iframe", "object", "embed", "svg", "math", "form"}, tag
        # Our own: links open beside the message.
        assert tag != "base" or attrs == [("target", "_blank")], attrs
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name in {"href", "src"}:
                assert _LEADS_TO.match(value or "#"), value


def sanitizer(octets: bytes) -> None:
    """Whatever comes out neither acts nor fetches."""
    document = sanitize_html(octets.decode("utf-8", "replace")).document
    _Acting(convert_charrefs=True).feed(document)
    style = "".join(re.findall(r"<style[^>]*>([^<]*)", document))
    assert not re.search(r"(?i)url\(|@import|expression\(", style)


def query(octets: bytes) -> None:
    """Any text is an expression, or says its problems."""
    parse_query(octets.decode("utf-8", "replace"))


def smtp(octets: bytes) -> None:
    """Only whole replies are said, however the octets are cut, and the cuts change nothing."""
    at_once, in_pieces = Conversation(), Conversation()
    said = at_once.send(octets)
    assert _REPLY.fullmatch(said), said
    pieces = b"".join(in_pieces.send(octets[n : n + 7]) for n in range(0, len(octets), 7))
    assert pieces == said
    assert [m.octets for m in at_once.door.mails] == [m.octets for m in in_pieces.door.mails]


def proxy(octets: bytes) -> None:
    """A header is read, refused, or not whole yet."""
    with contextlib.suppress(BadHeader):
        read_header(octets)


REPORTS = [
    reports.whole(reports.envelope(encoding=how), reports.attached(reports.ORIGINAL, how))
    for how in ("", "base64", "quoted-printable")
]
SAMPLES = [*ordinary.MESSAGES.values(), *hostile.MESSAGES.values()]
TALK = (
    HELLO
    + ENVELOPE
    + b"DATA\r\n"
    + BODY
    + b".\r\nRSET\r\n"
    + ENVELOPE
    + b"BDAT 3 LAST\r\nabcQUIT\r\n"
)
TARGETS: dict[str, tuple[Callable[[bytes], None], Iterable[bytes]]] = {
    "mime": (mime, SAMPLES),
    "journal": (journal, [*SAMPLES, *REPORTS]),
    "sanitizer": (
        sanitizer,
        [m.encode("utf-8", "replace") for m in (*markup.HOSTILE.values(), markup.NEWSLETTER)]
        + [vector.markup.encode("utf-8", "replace") for vector in published()],
    ),
    "query": (query, [b'from:ann -"a b" OR (to:x larger:1M) before:2026-01-01 is:unread']),
    "smtp": (smtp, [TALK, TALK.replace(b"EHLO", b"HELO")]),
    "proxy": (
        proxy,
        [
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
            b"\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c" + b"\1" * 12,
        ],
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, default=Path("fuzz-corpus"))
    given = parser.parse_args()
    check, samples = TARGETS[given.target]
    folder = given.corpus / given.target
    folder.mkdir(parents=True, exist_ok=True)
    for number, octets in enumerate(samples):
        (folder / f"sample-{number}").write_bytes(octets[:_LONGEST])
    options = [
        sys.argv[0],
        str(folder),
        f"-max_total_time={given.seconds}",
        f"-max_len={_LONGEST}",
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]
    atheris.Setup(options, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
