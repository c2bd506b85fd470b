"""Ordinary messages, octet for octet as common mailers write them. `MESSAGES` has them by name."""

import base64

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PNG_TEXT = base64.encodebytes(PNG).decode().replace("\n", "\r\n")


def crlf(text: str) -> bytes:
    """`text` with the line ends of SMTP."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()


HEAD = """\
From: =?UTF-8?Q?J=C3=BCrgen_M=C3=BCller?= <juergen@example.org>
To: "Vlad Petrov" <vlad@acme.example>, sales@acme.example
Subject: =?UTF-8?B?UmVjaG51bmcgZsO8ciBOb3ZlbWJlcg==?=
Date: Tue, 24 Nov 2026 10:00:00 +0100
Message-ID: <one@example.org>
MIME-Version: 1.0
"""

PLAIN = crlf(
    HEAD
    + """\
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Guten Tag,

die Rechnung f=C3=BCr November ist fertig.
> Wann kommt sie?
"""
)

ALTERNATIVE = crlf(
    HEAD
    + """\
Content-Type: multipart/alternative; boundary="b1"

--b1
Content-Type: text/plain; charset=utf-8

The plain version.
--b1
Content-Type: text/html; charset=utf-8

<p>The <b>rich</b> version.</p>
--b1--
"""
)

# As Outlook and Apple Mail nest it: pictures in the text, a file beside.
NESTED = crlf(
    HEAD
    + f"""\
Content-Type: multipart/mixed; boundary="mixed"

This is a multi-part message in MIME format.
--mixed
Content-Type: multipart/related; type="multipart/alternative"; boundary="rel"

--rel
Content-Type: multipart/alternative; boundary="alt"

--alt
Content-Type: text/plain; charset=utf-8

See the picture.
--alt
Content-Type: text/html; charset=utf-8

<p>See <img src="cid:pic@example.org" alt="picture"></p>
--alt--

--rel
Content-Type: image/png; name="pic.png"
Content-ID: <pic@example.org>
Content-Disposition: inline; filename="pic.png"
Content-Transfer-Encoding: base64

{PNG_TEXT}
--rel--

--mixed
Content-Type: application/pdf
Content-Disposition: attachment; filename*=UTF-8''Rechnung%20%E2%82%AC.pdf
Content-Transfer-Encoding: base64

JVBERi0xLjQK
--mixed--
"""
)

INVITE = crlf(
    HEAD
    + """\
Content-Type: multipart/alternative; boundary="b1"

--b1
Content-Type: text/plain

You are invited.
--b1
Content-Type: text/calendar; charset=utf-8; method=REQUEST

BEGIN:VCALENDAR
END:VCALENDAR
--b1--
"""
)

FORWARD = crlf(
    HEAD
    + """\
Content-Type: multipart/mixed; boundary="b1"

--b1

See below.
--b1
Content-Type: message/rfc822

Subject: inner
Content-Type: multipart/mixed; boundary="b2"

--b2
Content-Type: text/plain; name="secret.txt"

inner text
--b2--
--b1--
"""
)

MAILING_LIST = crlf(
    HEAD
    + """\
List-Id: A list <talk.lists.example>
Content-Type: multipart/mixed; boundary="b1"

--b1
Content-Type: multipart/alternative; boundary="b2"

--b2
Content-Type: text/plain

Said plainly.
--b2
Content-Type: text/html

<p>Said richly.</p>
--b2--
--b1
Content-Type: text/plain

_______
talk mailing list
--b1--
"""
)

JAPANESE = (
    b"From: =?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <yamada@example.jp>\r\n"
    b"Subject: =?iso-2022-jp?B?GyRCMnE1RCROJCpDTiRpJDsbKEI=?=\r\n"
    b"Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n"
    + "明日の会議は①番の部屋です。\r\n".encode("iso2022_jp", "ignore")
)

MESSAGES: dict[str, bytes] = {
    "plain": PLAIN,
    "alternative": ALTERNATIVE,
    "nested": NESTED,
    "invite": INVITE,
    "forward": FORWARD,
    "mailing list": MAILING_LIST,
    "japanese": JAPANESE,
}
