"""Octets to text for the charsets of real mail, and for the wrong ones.

Labels are looked up in a fixed table (the names and aliases of Python's codecs, read as the
WHATWG Encoding Standard reads them: iso-8859-1 is windows-1252, gb2312 is gb18030). Codecs that
are no charsets of mail (zip, idna, unicode_escape, ...) and UTF-7, which hides markup from
filters, are not in it. Nothing here raises: an unknown label is guessed, and what does not
decode becomes U+FFFD.
"""

from __future__ import annotations

import codecs
import re
from encodings.aliases import aliases
from typing import Final

_CODECS: Final = (
    "utf_8 utf_16 utf_16_le utf_16_be cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 "
    "cp1258 cp437 cp720 cp737 cp775 cp850 cp852 cp855 cp857 cp858 cp860 cp861 cp862 cp863 cp864 "
    "cp865 cp866 cp869 cp874 cp932 cp949 cp950 big5hkscs euc_jp euc_kr euc_jis_2004 gb18030 hz "
    "iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso2022_kr "
    "iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_10 iso8859_13 "
    "iso8859_14 iso8859_15 iso8859_16 johab koi8_r koi8_t koi8_u kz1048 mac_cyrillic mac_greek "
    "mac_latin2 mac_roman mac_turkish ptcp154 shift_jis_2004 tis_620 viscii"
).split()

# What senders write, and what they mean by it.
_MEANT: Final = {
    "ascii": "utf_8",
    "us_ascii": "utf_8",
    "ansi_x3_4_1968": "utf_8",
    "iso_8859_1": "cp1252",
    "iso8859_1": "cp1252",
    "latin1": "cp1252",
    "latin_1": "cp1252",
    "l1": "cp1252",
    "8859_1": "cp1252",
    "cp819": "cp1252",
    "iso_8859_9": "cp1254",
    "iso8859_9": "cp1254",
    "latin5": "cp1254",
    "iso_8859_11": "cp874",
    "tis_620": "cp874",
    "windows_874": "cp874",
    "gb2312": "gb18030",
    "gb_2312_80": "gb18030",
    "gbk": "gb18030",
    "x_gbk": "gb18030",
    "cp936": "gb18030",
    "shift_jis": "cp932",
    "sjis": "cp932",
    "x_sjis": "cp932",
    "windows_31j": "cp932",
    "ks_c_5601_1987": "cp949",
    "euc_kr": "cp949",
    "euckr": "cp949",
    "big5": "big5hkscs",
    "big5_tw": "big5hkscs",
    "x_x_big5": "big5hkscs",
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_6_i": "iso8859_6",
    "unicode_1_1_utf_8": "utf_8",
    "utf8mb4": "utf_8",
    "x_mac_roman": "mac_roman",
    "macintosh": "mac_roman",
    "cp50220": "iso2022_jp",
    "cp50221": "iso2022_jp",
    "koi8_ru": "koi8_u",
}


def _key(label: str) -> str:
    return re.sub(r"[-_ .:]+", "_", label.strip(" \t'\"").lower())


def _table() -> dict[str, codecs.CodecInfo]:
    found: dict[str, codecs.CodecInfo] = {}
    for name in _CODECS:
        try:
            found[name] = codecs.lookup(name)
        except LookupError:  # a few are not in every build of Python
            continue
    table = dict(found)
    for alias, name in aliases.items():
        if name in found:
            table.setdefault(_key(alias), found[name])
    for number in range(1250, 1259):
        table[f"windows_{number}"] = table[f"x_cp{number}"] = found[f"cp{number}"]
    table.update({label: found[name] for label, name in _MEANT.items() if name in found})
    return table


# Looked up once at import: a child of the pool can open no file later.
_CHARSETS: Final = _table()
_ESCAPES: Final = re.compile(rb"\x1b(\$[@B]|\$\([DOPQ]|\([BJIH])")
_CP932: Final = codecs.lookup("cp932")
_C1_HOLES: Final = dict.fromkeys((129, 141, 143, 144, 157), "�")


def decode(octets: bytes, label: str = "") -> str:
    """The text of `octets` in the charset named `label`, as well as can be."""
    key = _key(label) if label else ""
    plain = octets.isascii() and b"\x1b" not in octets and b"~" not in octets
    if plain and not key.startswith(("utf_16", "utf16")):
        return octets.decode("ascii")
    codec = _CHARSETS.get(key)
    if codec is None or codec.name == "utf-8":
        return _guess(octets, declared_utf8=codec is not None and key.startswith("utf"))
    if codec.name.startswith("iso2022_jp"):
        return _iso2022_jp(octets, codec)
    return _unpaired(codec.decode(octets, "replace")[0])


def known(label: str) -> bool:
    """Whether `label` names a charset of the table."""
    return _key(label) in _CHARSETS


def _guess(octets: bytes, *, declared_utf8: bool) -> str:
    """UTF-8 when it is UTF-8, else windows-1252: hardly anything else passes for UTF-8."""
    if octets.startswith(b"\xef\xbb\xbf"):
        octets = octets[3:]
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        # A text that was cut in the middle of a character is still UTF-8.
        if declared_utf8 or error.start >= len(octets) - 3:
            return octets.decode("utf-8", "replace")
    return octets.decode("latin-1").translate(_C1)


def _iso2022_jp(octets: bytes, codec: codecs.CodecInfo) -> str:
    """ISO-2022-JP as it is really sent: with the vendors' characters (cp50221)."""
    try:
        return codec.decode(octets, "strict")[0]
    except UnicodeDecodeError:
        pass
    pieces = _ESCAPES.split(octets)
    out = [pieces[0].decode("ascii", "replace")]
    for escape, run in zip(pieces[1::2], pieces[2::2], strict=True):
        if escape in (b"$@", b"$B"):
            out.append(_jis_run(run))
        elif escape == b"(I":
            out.append(_CP932.decode(bytes(octet | 0x80 for octet in run), "replace")[0])
        else:
            out.append(run.decode("ascii", "replace"))
    return "".join(out)


def _jis_run(run: bytes) -> str:
    """JIS X 0208 in seven bits, by way of Shift_JIS, where the vendors' rows have a place."""
    moved = bytearray()
    for first, second in zip(run[::2], run[1::2], strict=False):
        if not (0x21 <= first <= 0x7E and 0x21 <= second <= 0x7E):
            moved += bytes(octet for octet in (first, second) if octet < 0x80)
            continue
        lead = (first + 1) // 2 + (0x70 if first < 0x5F else 0xB0)
        trail = second + (31 if second < 96 else 32) if first % 2 else second + 126
        moved += bytes((lead, trail))
    return _CP932.decode(bytes(moved), "replace")[0]


def _unpaired(text: str) -> str:
    """Without lone surrogates, which no output could encode."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text


def _c1_table() -> dict[int, str]:
    table = dict(_C1_HOLES)
    for value in range(0x80, 0xA0):
        if value not in table:
            table[value] = bytes((value,)).decode("cp1252")
    return table


_C1: Final = _c1_table()
