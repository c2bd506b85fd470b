"""Messages made to break a parser, with the class of bug that each one once was elsewhere."""

from tests.corpus.ordinary import crlf


def nested_multiparts(depth: int) -> bytes:
    """Multiparts in multiparts."""
    lines = ["Subject: deep"]
    for level in range(depth):
        lines += [f'Content-Type: multipart/mixed; boundary="b{level}"', "", f"--b{level}"]
    lines += ["Content-Type: text/plain", "", "at the bottom"]
    lines += [f"--b{level}--" for level in reversed(range(depth))]
    return crlf("\n".join(lines) + "\n")


def many_parts(count: int) -> bytes:
    """One multipart with a flood of empty parts."""
    return crlf('Content-Type: multipart/mixed; boundary="b"\n\n' + "--b\n\n\n" * count + "--b--\n")


def many_headers(count: int) -> bytes:
    return crlf("".join(f"X-Filler: {n}\n" for n in range(count)) + "Subject: late\n\nbody\n")


# A multipart whose child names the boundary of its parent, and so on for ever.
CYCLIC = crlf(
    'Content-Type: multipart/mixed; boundary="b"\n\n'
    + '--b\nContent-Type: multipart/mixed; boundary="b"\n\n' * 3_000
)

_CONTINUED = "".join(f"; filename*{n}*=%41" for n in range(5_000))
_BOUNDARIES = "".join(f'; boundary="{n}"' for n in range(5_000))

MESSAGES: dict[str, bytes] = {
    "empty": b"",
    "one octet": b"\0",
    "only a line end": b"\r\n",
    "headers only": b"Subject: nothing below",
    "no headers": b"just some words\r\n\r\nand more\r\n",
    "policy.default raises IndexError": b"Message-ID: <<x@@y>\r\n\r\nbody\r\n",
    "mbox": b"From someone Tue Nov 24 10:00:00 2026\r\nSubject: from a folder\r\n\r\nbody\r\n",
    "bare carriage returns": b"Subject: old mac\rFrom: a@b.example\r\rbody\r",
    "raw UTF-8 header": "Subject: Grüße\r\n\r\nbody".encode(),
    "raw latin header": b"Subject: Gr\xfc\xdfe\r\n\r\nbody",
    "NUL everywhere": b"Subject: c\0d\r\n\r\nbo\0dy",
    "unknown charset": b"Content-Type: text/plain; charset=x-none\r\n\r\ncaf\xc3\xa9",
    "codec that is none": b"Content-Type: text/plain; charset=zip\r\n\r\nx\x9c\x01",
    "utf-7": b"Content-Type: text/html; charset=utf-7\r\n\r\n+ADw-script+AD4-alert(1)",
    "idna as charset": b"Subject: =?idna?Q?" + b"xn--" * 20_000 + b"?=\r\n\r\n",
    "broken base64": b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8\r\n=d29y!!bGQ=\r\n===",
    "uuencode": (
        b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n#86)C\r\n`\r\nend\r\n"
    ),
    "cyclic multipart": CYCLIC,
    "deep multipart": nested_multiparts(500),
    "too many parts": many_parts(5_000),
    "too many headers": many_headers(5_000),
    "one endless header": b"Subject: " + b"x\r\n " * 300_000 + b"\r\n\r\nbody",
    "RFC 2231 bomb": f"Content-Disposition: attachment{_CONTINUED}\r\n\r\nx".encode(),
    "many parameters": f"Content-Type: multipart/mixed{_BOUNDARIES}\r\n\r\n--0\r\n\r\nx".encode(),
    "missing boundary": b"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\ntext\r\n--b--\r\n",
    "empty boundary": b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\ntext\r\n',
    "boundary never used": b"Content-Type: multipart/mixed; boundary=zz\r\n\r\nthe text\r\n",
    "unclosed multipart": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nthe text",
    "boundary prefix": (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--bb\r\n--b\r\n\r\nin\r\n--b--"
    ),
    "encoded words without end": b"Subject: " + b"=?utf-8?Q?a" * 40_000 + b"?=\r\n\r\n",
    "quotes without end": b"To: " + b'"\\"' * 100_000 + b"\r\n\r\n",
    "comments without end": b"To: " + b"(" * 300_000 + b"\r\n\r\n",
    "angles without end": b"To: " + b"<" * 300_000 + b"\r\n\r\n",
    "colons": b"To: " + b'"x"' * 50_000 + b"a@b" + b":" * 200_000 + b"\r\n\r\n",
    "many addresses": b"To: " + b"a@b.example, " * 20_000 + b"\r\n\r\n",
    "html of open tags": b"Content-Type: text/html\r\n\r\n" + b"<a <!--" * 200_000,
    "html meta lies": b'Content-Type: text/html\r\n\r\n<meta charset="utf-16">text',
    "flowed quotes": b"Content-Type: text/plain; format=flowed\r\n\r\n" + b">" * 300_000 + b" \r\n",
    "odd date": b"Date: Tue, 99 Foo 99999999999 99:99:99 +999999\r\n\r\n",
    "bidi file name": (
        'Content-Disposition: attachment; filename="invoice\u202efdp.exe"\r\n\r\nMZ'.encode()
    ),
    "path in file name": (
        b'Content-Disposition: attachment; filename="..\\..\\etc/passwd"\r\n\r\nx'
    ),
    "winmail": (
        b'Content-Type: application/ms-tnef; name="winmail.dat"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\neJ8+Ig==\r\n"
    ),
    "all octets": bytes(range(256)) * 40,
    "header injection": b"Subject: =?utf-8?Q?a=0D=0ABcc:_x@y.example?=\r\n\r\nbody",
    "two senders": b"From: a@b.example\r\nFrom: evil@c.example\r\n\r\nbody",
}
