"""The mails of the measurements: made up, the same at every run.

Sizes are those on the wire before dot-stuffing. The text is English prose (Python's own language
reference), so that it compresses as real text does; attachments are random octets, as pictures and
PDF files are to a compressor. Texts repeat: each size has a limited number of different mails.
"""

import base64
import html
import random
import re
from functools import cache
from pydoc_data import topics

SIZES = {
    "6k": 6_144,
    "accents": 6_144,
    "30k": 30_000,
    "200k": 204_800,
    "2m": 2_097_152,
    "50m": 50_000_000,
}
DIFFERENT = {"6k": 200, "accents": 200, "30k": 100, "200k": 40, "2m": 6, "50m": 1}
# What a mixed stream of mail is made of; its mean is about 96 KB.
MIX = {"6k": 0.60, "30k": 0.25, "200k": 0.12, "2m": 0.03}
KINDS = (*SIZES, "mix")

NAMES = "anna ben carla david emma felix greta hugo ines jonas kira lars mona nils olga".split()
WORDS = (
    "invoice meeting budget server report contract delivery question draft schedule review".split()
)
_LINE = 74


def mails(kind: str, count: int) -> list[bytes]:
    """`count` mails of a kind, in wire form without the final dot."""
    kinds = _mixed(count) if kind == "mix" else [kind] * count
    seen = dict.fromkeys(SIZES, 0)
    made = []
    for each in kinds:
        made.append(mail(each, seen[each] % DIFFERENT[each]))
        seen[each] += 1
    return made


@cache
def mail(kind: str, number: int) -> bytes:
    """One mail; the same number gives the same octets."""
    dice = random.Random(f"{kind}/{number}")
    header = _header(dice, number)
    if kind in ("6k", "accents"):
        text = _prose(dice, SIZES[kind] - len(header) - 90)
        if kind == "accents":  # as many letters beyond ASCII as French has
            text = text.replace("u", "ü").replace(" a ", " à ")
        part = _part("text/plain; charset=utf-8", "7bit" if kind == "6k" else "8bit", text)
        return f"{header}\r\n{part}\r\n".encode()
    text = _prose(dice, 9_000 if kind == "30k" else 5_000)
    parts = [_part("text/plain; charset=utf-8", "7bit", text)]
    if kind in ("30k", "200k"):
        page = _page(dice, 20_000 if kind == "30k" else 9_000, text)
        parts.append(_part("text/html; charset=utf-8", "quoted-printable", page))
    if kind != "30k":
        size = SIZES[kind] - sum(map(len, parts)) - len(header)
        parts.append(_attachment(dice, size))
    form = "alternative" if kind == "30k" else "mixed"
    line = f"=_b{number:08d}"
    body = "".join(f"--{line}\r\n{part}\r\n" for part in parts)
    head = f'{header}\r\nContent-Type: multipart/{form}; boundary="{line}"\r\n'
    return f"{head}\r\n{body}--{line}--\r\n".encode()


@cache
def on_the_wire(octets: bytes) -> bytes:
    """Dot-stuffed, with the line that ends the data (RFC 5321 section 4.5.2)."""
    return octets.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def _mixed(count: int) -> list[str]:
    """Exact shares in an order of chance, so that every run carries the same octets."""
    kinds = [kind for kind, share in MIX.items() for _ in range(round(share * count))]
    kinds = (kinds + ["6k"] * count)[:count]
    random.Random("mix").shuffle(kinds)
    return kinds


def _header(dice: random.Random, number: int) -> str:
    first, last = dice.choice(NAMES), dice.choice(NAMES)
    subject = " ".join(dice.choice(WORDS) for _ in range(3)).capitalize()
    signature = "\r\n\t ".join(base64.b64encode(dice.randbytes(48)).decode() for _ in range(3))
    time = f"Mon, {1 + number % 7:02d} Jun 2026 {dice.randrange(24):02d}:{dice.randrange(60):02d}"
    return "\r\n".join(
        (
            f"Received: from mx{number % 4}.example.net (mx.example.net [192.0.2.{number % 250}])",
            f"\tby in.example.org (Postfix) with ESMTPS id {dice.getrandbits(40):010X}",
            f"\tfor <someone@bench.local>; {time}:11 +0000 (UTC)",
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=s1;",
            "\th=from:to:subject:date:message-id; bh=" + base64.b64encode(b"0" * 32).decode() + ";",
            f"\tb={signature}",
            f"Date: {time}:10 +0000",
            f"From: {first.capitalize()} {last.capitalize()} <{first}.{last}@example.net>",
            "To: <someone@bench.local>",
            f"Subject: {subject} #{number}",
            f"Message-ID: <{dice.getrandbits(64):016x}.{number}@example.net>",
            f"References: <{dice.getrandbits(64):016x}@example.net>",
            "X-Mailer: Bench 1.0",
            "MIME-Version: 1.0",
        )
    )


def _part(content_type: str, encoding: str, body: str) -> str:
    return (
        f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
    )


def _attachment(dice: random.Random, size: int) -> str:
    # 57 octets become a line of 76 characters and its end.
    octets = base64.encodebytes(dice.randbytes(size * 57 // 78)).replace(b"\n", b"\r\n")
    return _part(
        'application/pdf; name="report.pdf"\r\n'
        'Content-Disposition: attachment; filename="report.pdf"',
        "base64",
        octets.decode().rstrip(),
    )


@cache
def _sentences() -> list[str]:
    text = "\n\n".join(topics.topics[name] for name in sorted(topics.topics))
    text = re.sub(r"[*_`:|\\]+", "", re.sub(r"[^\x20-\x7e\n]", "", text))
    found = re.split(r"(?<=[.;])\s+|\n\n+", text)
    return [" ".join(each.split()) for each in found if 30 < len(each) < 400]


def _prose(dice: random.Random, size: int) -> str:
    lines: list[str] = []
    written = sentences = 0
    while written < size:
        line = ""
        for word in dice.choice(_sentences()).split(" "):
            if len(line) + len(word) >= _LINE:
                lines.append(line)
                written += len(line) + 2
                line = word
            else:
                line = f"{line} {word}" if line else word
        sentences += 1
        lines += [line] if sentences % 5 else [line, ""]
        written += len(line) + 2
    return "\r\n".join(lines)


def _page(dice: random.Random, size: int, text: str) -> str:
    lines = ["<html><head><style>body{font-family:Arial,sans-serif}</style></head><body>"]
    for paragraph in text.split("\r\n\r\n"):
        lines.append(f'<p class=3D"c" style=3D"margin:0 0 10px 0">{_quoted(paragraph)}</p>')
    written = sum(map(len, lines))
    while written < size:
        cell = _quoted(dice.choice(_sentences())[:70])
        lines.append(f'<tr><td style=3D"border:1px solid #cccccc">=\r\n{cell}</td></tr>')
        written += len(lines[-1]) + 2
    return "\r\n".join([*lines, "</body></html>"])


def _quoted(text: str) -> str:
    return html.escape(text, quote=False).replace("=", "=3D")
