"""The sample mail that machines send: status pages, parcels, tickets, sign-ins, newsletters."""

import html

from app.demo.traffic.calendar import berlin
from app.demo.traffic.correspondents import (
    AYLIN,
    BUILDS,
    COFFEE,
    MARIA,
    OWNWEBNOW,
    PARCELS,
    QUAY,
    REGISTRAR,
    SALES,
    STATUS,
    TRAINS,
    VLAD,
    WORKBENCH,
)
from app.demo.traffic.documents import long_day, ticket_pdf
from app.demo.traffic.letter import Draft, Letter, Part, Person, Times, body, wrapped, write

AUTOMATIC = (("Auto-Submitted", "auto-generated"),)
AMBER, GREEN, VIOLET, RED = "#b06a00", "#2a7d4f", "#4b3f8f", "#b3261e"
INCIDENT = "https://status.cloudharbour.example/incidents/x7f2"
RESET = "https://werkbank.example/reset"
TRACKING = "https://paketwerk.example/track/PW-5571-2207-DE"


def all_letters(times: Times) -> list[Letter]:
    return [
        *status_letters(times),
        *account_letters(times),
        *travel_letters(times),
        *newsletters(times),
        *work_letters(times),
    ]


def card(brand: Person, colour: str, title: str, text: str, button: tuple[str, str]) -> str:
    """The HTML that services send: one white card with a coloured edge, and one button."""
    words = {"brand": brand.name, "title": title, "body": text.strip(), "label": button[0]}
    escaped = {slot: html.escape(value) for slot, value in words.items()}
    return body("card.html", colour=colour, domain=brand.domain, link=button[1], **escaped)


def status_letters(times: Times) -> list[Letter]:
    """An incident and its end."""
    began, ended = times.ago(hours=3, minutes=40), times.ago(hours=3, minutes=2)
    slots = {"began": f"{began:%H:%M}", "ended": f"{ended:%H:%M}"}
    letters: list[Letter] = []
    for name, at, word, colour in (
        ("status-1", began, "Investigating", AMBER),
        ("status-2", ended, "Resolved", GREEN),
    ):
        text, subject = body(name, **slots), f"[{word}] Elevated error rates in eu-central"
        draft = Draft(
            name, STATUS, (VLAD,), subject, at,
            text=wrapped(f"{text}\n{INCIDENT}\n\nYou get this because you follow eu-central.\n"),
            html=card(STATUS, colour, subject, text, ("Read the incident", INCIDENT)),
            parent=letters[0] if letters else None,
            headers=AUTOMATIC,
        )  # fmt: skip
        letters.append(write(draft))
    return letters


def account_letters(times: Times) -> list[Letter]:
    """A forgotten password, and a sign-in from somewhere new."""
    reset, sign_in_at = body("password-reset"), times.workday(3, "21:15")
    when = f"{long_day(sign_in_at.date())} at {sign_in_at:%H:%M}"
    drafts = (
        Draft(
            "password-reset", WORKBENCH, (VLAD,), "Reset your Werkbank password",
            times.ago(minutes=167), text=wrapped(f"Hello Vlad,\n\n{reset}\n{RESET}\n\nWerkbank\n"),
            html=card(WORKBENCH, VIOLET, "Reset your password", reset, ("New password", RESET)),
            headers=AUTOMATIC,
        ),
        Draft(
            "new-device", WORKBENCH, (VLAD,), "New sign-in to Werkbank from Firefox on Linux",
            sign_in_at, text=wrapped(body("new-device", when=when)), headers=AUTOMATIC,
        ),
    )  # fmt: skip
    return [write(draft) for draft in drafts]


def travel_letters(times: Times) -> list[Letter]:
    """A parcel on its way, and two seats to Zürich."""
    parcel = body("parcel")
    leaves = times.next_workday(5).replace(hour=8, minute=4)
    trip = f"Berlin to Zürich, {long_day(leaves.date())}"
    ticket = ticket_pdf(("Berlin", "Zürich"), leaves, 8.5, "NB7-K42Q")
    drafts = (
        Draft(
            "parcel", PARCELS, (SALES,), "Today between 13:00 and 15:00: your parcel PW-5571-2207",
            times.ago(hours=4, minutes=25), text=wrapped(f"{parcel}\n{TRACKING}\n"),
            html=card(PARCELS, RED, "In the delivery van", parcel, ("Follow it", TRACKING)),
            headers=AUTOMATIC,
        ),
        Draft(
            "tickets", TRAINS, (VLAD,), f"Your tickets: {trip}", times.workday(1, "09:17"),
            text=body("tickets", trip=trip), headers=AUTOMATIC,
            parts=(Part("Ticket NB7-K42Q.pdf", "application/pdf", ticket),),
        ),
    )  # fmt: skip
    return [write(draft) for draft in drafts]


def newsletters(times: Times) -> list[Letter]:
    """Two that somebody designed: tables, styles, a sheet for phones, pictures from outside."""
    letters = []
    for name, sender, subject, at in (
        ("quay", QUAY, "Cranes that wait for the wind", times.workday(1, "06:30")),
        (
            "coffee",
            COFFEE,
            "New in the roastery: two coffees and a date",
            times.workday(3, "17:00"),
        ),
    ):
        leave = f"https://{sender.domain}/leave"
        slots = {"day": long_day(berlin(at).date()), "leave": leave, "reader": VLAD.address}
        draft = Draft(
            name, sender, (VLAD,), subject, at, transfer="quoted-printable",
            text=wrapped(body(name, **slots)), html=body(f"{name}.html", **slots),
            headers=(
                ("List-Id", f"{sender.name} <letters.{sender.domain}>"),
                ("List-Unsubscribe", f"<{leave}>"),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
                ("Precedence", "bulk"),
            ),
            mail_from=f"bounce@{sender.domain}",
        )  # fmt: skip
        letters.append(write(draft))
    return letters


def work_letters(times: Times) -> list[Letter]:
    """A pull request, and a domain that renews."""
    day = long_day(berlin(times.ago(days=-30)).date())
    drafts = (
        Draft(
            "pull-request", AYLIN, (BUILDS,), "Re: [acme/portal] Round VAT totals once (PR #218)",
            times.ago(minutes=249), text=wrapped(body("pull-request")), rcpt_to=(VLAD.address,),
            headers=(
                ("List-Id", "acme/portal <portal.acme.forgehub.example>"),
                ("X-ForgeHub-Reason", "review_requested"),
                *AUTOMATIC,
            ),
        ),
        Draft(
            "renewal", REGISTRAR, (OWNWEBNOW,), "ownwebnow.example renews in 30 days",
            times.workday(4, "05:00"), cc=(MARIA,), text=wrapped(body("renewal", day=day)),
            headers=AUTOMATIC,
        ),
    )  # fmt: skip
    return [write(draft) for draft in drafts]
