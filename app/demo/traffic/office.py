"""The sample mail of the house and of friends: colleagues, the scanner, a poster, a lunch."""

from app.demo.traffic import pictures
from app.demo.traffic.correspondents import (
    AUDIT,
    CARLA,
    DANA,
    HAFENKONTOR,
    INES,
    LARS,
    MARIA,
    OWEN,
    OWNWEBNOW,
    SCANNER,
    VLAD,
)
from app.demo.traffic.documents import letter_pdf
from app.demo.traffic.letter import (
    Draft,
    Letter,
    Part,
    Person,
    Times,
    body,
    plain_html,
    wrapped,
    write,
)

COLLEAGUES = (
    "Ines Roth", "Lars Holm", "Aylin Demir", "Bruno Keller", "Chiara Russo", "Deniz Yilmaz",
    "Emil Sørensen", "Fatima Zahra", "Greta Nowak", "Henrik Vos", "Isabel Prado", "Jakub Król",
)  # fmt: skip
POLICY = "Your policy TR-5520: transport cover from January"


def all_letters(times: Times) -> list[Letter]:
    return [
        *_notes(times),
        *_from_friends(times),
        _report(times),
        _scan(times),
        _all_hands(times),
        _forward(times),
    ]


def _notes(times: Times) -> list[Letter]:
    outage = body("outage-notes")
    drafts = (
        Draft(
            "outage-notes", MARIA, (VLAD,), "If the mail server stops: two minutes to read",
            times.workday(1, "17:20"), text=wrapped(outage), html=plain_html(outage),
        ),
        Draft(
            "cake", MARIA, (VLAD, INES), "🎂 Friday 15:00: Lars turns forty (he has no idea) 🎣",
            times.workday(2, "12:16"), text=wrapped(body("cake")), rcpt_to=(VLAD.address,),
        ),
        # Nothing but a subject: people do that.
        Draft("forklift", LARS, (VLAD,), "Forklift is back, bay 4", times.ago(minutes=131)),
    )  # fmt: skip
    return [write(draft) for draft in drafts]


def _from_friends(times: Times) -> list[Letter]:
    """Dana's poster, Carla's lunch without a subject, and Owen, who knows another address."""
    poster = body("poster")
    picture = Part("harbour-day-draft-3.png", "image/png", pictures.harbour())
    drafts = (
        Draft(
            "poster", DANA, (VLAD,), "Harbour day poster, draft 3", times.workday(2, "16:48"),
            text=wrapped(poster), html=plain_html(poster), parts=(picture,),
        ),
        Draft("lunch", CARLA, (VLAD,), "", times.ago(minutes=76), text=body("lunch")),
        Draft(
            "bookshop", OWEN, (OWNWEBNOW,), "The shop on the new server: three small things",
            times.workday(1, "19:34"), text=body("bookshop"), flowed=True,
        ),
    )  # fmt: skip
    return [write(draft) for draft in drafts]


def _report(times: Times) -> Letter:
    """A chart inside the text."""
    cid = "parcels.week@acme.example"
    chart = Part("parcels.png", "image/png", pictures.week_chart(), cid)
    return write(
        Draft(
            "parcel-report", INES, (VLAD, MARIA), "Parcels of the week", times.workday(1, "08:40"),
            text=wrapped(body("parcel-report")), html=body("parcel-report.html", cid=cid),
            parts=(chart,),
        )
    )  # fmt: skip


def _scan(times: Times) -> Letter:
    at = times.workday(2, "09:26")
    lines = [
        "Received from Northwind Freight: 2 pallets, foil undamaged.",
        "Signed: L. Holm, bay 4.",
    ]
    page = letter_pdf("Delivery note 20931", "Scanned in hall 1", at, lines)
    name = f"{at:%Y%m%d-%H%M}"
    return write(
        Draft(
            "scan", SCANNER, (VLAD,), f"Scan {name}", at,
            text="1 page, 300 dpi. This device cannot read replies.",
            parts=(Part(f"scan-{name}.pdf", "application/pdf", page),),
        )
    )  # fmt: skip


def _all_hands(times: Times) -> Letter:
    """To everybody in the house; those with a mailbox here get it here."""
    people = [Person(name, f"{name.split()[0].lower()}@acme.example") for name in COLLEAGUES]
    return write(
        Draft(
            "fire-alarm", MARIA, (VLAD, AUDIT, *people), "Fire alarm test on Thursday, 10:00",
            times.workday(1, "10:02"), text=wrapped(body("fire-alarm")),
            rcpt_to=(VLAD.address, AUDIT.address),
        )
    )  # fmt: skip


def _forward(times: Times) -> Letter:
    """A mail inside a mail."""
    inner = Draft(
        "insurance", HAFENKONTOR, (MARIA,), POLICY, times.workday(2, "11:11"),
        text=wrapped(body("insurance")),
    )  # fmt: skip
    note = "FYI, so 4471 does not need an extra policy. The original is attached.\n\nMaria"
    return write(
        Draft(
            "insurance-forwarded", MARIA, (VLAD,), f"Fwd: {POLICY}", times.workday(2, "11:48"),
            text=note, forwarded=(write(inner).octets,),
        )
    )  # fmt: skip
