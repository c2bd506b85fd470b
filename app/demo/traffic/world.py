"""The sample mail that is not in English, or not in UTF-8, or too long for its line."""

from app.demo.traffic.correspondents import AGNES, KRANZ, LAYLA, OWNWEBNOW, SALES, TENDERS, VLAD
from app.demo.traffic.letter import Draft, Letter, Times, body, wrapped, write

# The length that only an authority writes.
TENDER = (
    "Open procedure 2207/HA-4: supply, delivery free to basin 3 and optional installation of"
    " mooring fittings, bow rollers and electric anchor winches for the vessels of the pilot"
    " service, lots 1 to 4, including spare parts for ten years: correction of annex C, table"
    " 2, and extension of the period for questions from bidders"
)


def all_letters(times: Times) -> list[Letter]:
    text = body("arabic")
    paragraphs = [block.replace("\n", "<br>\n") for block in text.strip().split("\n\n")]
    page = body("arabic.html", paragraphs="\n".join(f"<p>{block}</p>" for block in paragraphs))
    drafts = (
        # Right to left, with numbers and Latin names that run the other way.
        Draft(
            "arabic", LAYLA, (SALES,), "طلب تأكيد: رافعات مرساة AW-800 إلى ميناء جدة",
            times.workday(1, "07:12"), text=text, html=page, transfer="base64",
        ),
        # As an old shop system writes: HTML only, windows-1252.
        Draft(
            "office-supplies", KRANZ, (VLAD,), "Auftragsbestätigung 77-3102: Leuchte „Möwe“",
            times.workday(3, "10:09"), html=body("office-supplies.html"),
            charset="windows-1252", transfer="quoted-printable",
        ),
        Draft(
            "tender", TENDERS, (SALES,), TENDER, times.workday(2, "07:30"),
            text=wrapped(body("tender")),
        ),
        # Octets above 127 as they are (8BITMIME, RFC 6152).
        Draft(
            "french", AGNES, (OWNWEBNOW,), "Page « Retours et échanges » : le texte",
            times.ago(minutes=203), text=body("french"), transfer="8bit",
        ),
    )  # fmt: skip
    return [write(draft) for draft in drafts]
