"""format=flowed undone (RFC 3676): soft line ends joined, quote marks regular."""

from __future__ import annotations


def unflow(text: str, *, delsp: bool) -> str:
    """`text` with its paragraphs on one line each; quoted lines begin with "> " per level."""
    out: list[str] = []
    open_depth = -1  # of a paragraph that goes on in the next line
    for line in text.split("\n"):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")  # space-stuffing (section 4.4)
        signature = content == "-- "
        flows = content.endswith(" ") and not signature
        kept = content[:-1] if flows and delsp else content
        if open_depth == depth and not signature:
            out.append(kept)
        else:
            out.append(("\n" if out else "") + _marks(depth) + kept)
        open_depth = depth if flows else -1
    return "".join(out)


def _marks(depth: int) -> str:
    return ">" * depth + " " if depth else ""
