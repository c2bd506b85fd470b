"""format=flowed (RFC 3676): a paragraph in lines of ordinary length that the reader joins again.

A line of the text is a paragraph; where it is longer than WIDTH it is cut after a blank.
Lines that begin with ">" are quoted, their marks stand on every line of the paragraph.
"""

import re

WIDTH = 72  # characters; with the blank at the end quoted-printable still fits in 76
_MARKS = re.compile(r"(?:> ?)*")
SIGNATURE = "-- "


def flow(text: str) -> str:
    """The text as it is sent; its lines end with \\n."""
    return "\n".join(line for paragraph in text.split("\n") for line in _paragraph(paragraph))


def _paragraph(paragraph: str) -> list[str]:
    found = _MARKS.match(paragraph)
    marks = found[0] if found else ""
    content = paragraph[len(marks) :]
    depth = marks.count(">")
    if content != SIGNATURE:
        content = content.rstrip(" ")  # a blank at the end would join it with the next line
    prefix = ">" * depth + " " if depth else ""
    return [prefix + _stuffed(line, depth) for line in _cut(content)]


def _stuffed(line: str, depth: int) -> str:
    """Section 4.4: a blank in front of what would be read as something else."""
    if not depth and (line.startswith((" ", ">", "From "))):
        return " " + line
    return line


def _cut(content: str) -> list[str]:
    if len(content) <= WIDTH:
        return [content]
    lines = [""]
    for word in re.findall(r" *[^ ]+ ?", content):
        full = len(lines[-1]) + len(word) > WIDTH
        # "-- " alone on a line would begin a signature.
        if full and lines[-1].endswith(" ") and lines[-1].strip(" ") != "--":
            lines.append("")
        lines[-1] += word
    return lines
