"""What a rich answer or forward takes over from its message: as `quoting`, with the forms. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape

from app.sending import quoting
from app.sending.rich import cite, quoted_html, rich_text, signature_html
from app.views import Quoting, RichText
from archive_store.mime.values import ParsedMessage

_ROOM = "<div><br></div>"


def quoted_answer(parsed: ParsedMessage, received_at: datetime, pictures: Mapping[str, str]) -> str:
    """Who wrote when, and what; `pictures`: their names by Content-ID."""
    said = quoting.attribution(parsed, received_at)
    if not parsed.html:
        return rich_text(quoting.quoted_answer(parsed, received_at)).html
    return f"{_lines([said])}{cite(quoted_html(parsed.html, pictures))}"


def forwarded(parsed: ParsedMessage, received_at: datetime, pictures: Mapping[str, str]) -> str:
    """The header of a message, and all that it shows."""
    head = _lines(quoting.forward_head(parsed, received_at))
    if parsed.html:
        return f"{head}{_ROOM}<div>{quoted_html(parsed.html, pictures)}</div>"
    return f"{head}{_ROOM}{_lines(quoting.body_text(parsed).split(chr(10)))}"


def sheet(quoted: str, signature: str, where: Quoting) -> RichText:
    """What a sheet begins with: room to write, the signature, and what is quoted."""
    signed = signature_html(signature) if signature else ""
    if where == "above" and quoted:
        return RichText(f"{quoted}{_ROOM}{signed}")
    below = f"{_ROOM}{quoted}" if quoted else ""
    return RichText(f"{_ROOM}{_ROOM}{signed}{below}" if signed else f"{_ROOM}{below}")


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"<div>{escape(line, quote=False) or '<br>'}</div>" for line in lines)
