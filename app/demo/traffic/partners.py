"""The sample mail of partners: a board meeting that moves, a contract, a lawyer's invoice."""

from datetime import timedelta

from app.demo.traffic import pictures
from app.demo.traffic.calendar import Invitation, berlin, invitation_ics
from app.demo.traffic.correspondents import (
    ACME_FIRM,
    BILLING,
    INES,
    LAWYERS_FIRM,
    MARIA,
    PRIYA,
    TOMAS,
    VLAD,
)
from app.demo.traffic.documents import Item, Paper, letter_pdf, long_day, paper_pdf
from app.demo.traffic.letter import (
    Draft,
    Letter,
    Part,
    Times,
    body,
    plain_html,
    quoted,
    wrapped,
    write,
)

PDF = "application/pdf"
CONTRACT = "Contract draft with the Lisbon office"


def all_letters(times: Times) -> list[Letter]:
    return [*board_letters(times), *contract_letters(times), invoice(times)]


def board_letters(times: Times) -> list[Letter]:
    """Priya invites, and moves the meeting; the second invitation replaces the first."""
    drafts = (
        ("board-1", "Board dry run", times.workday(2, "16:44"), 14),
        ("board-2", "Board dry run, new time", times.ago(minutes=31), 15),
    )
    day = times.next_workday(1).replace(tzinfo=None)
    guests = (VLAD, MARIA, INES, TOMAS)
    letters = []
    for sequence, (name, subject, at, hour) in enumerate(drafts):
        text = body(name)
        invitation = Invitation(
            uid=f"board-dry-run-{day:%Y%m%d}@northwind.example",
            summary="Board dry run",
            description=f"{text}\nCall: https://meet.northwind.example/board",
            location="Room Havel, 2nd floor; or the call",
            starts=day + timedelta(hours=hour),
            ends=day + timedelta(hours=hour + 1),
            stamp=at,
            organizer=(PRIYA.name, PRIYA.address),
            attendees=tuple((guest.name, guest.address) for guest in guests),
            sequence=sequence,
        )
        draft = Draft(
            name, PRIYA, guests, subject, at, text=wrapped(text), html=plain_html(text),
            invitation=invitation_ics(invitation), rcpt_to=(VLAD.address, MARIA.address),
        )  # fmt: skip
        letters.append(write(draft))
    return letters


def contract_letters(times: Times) -> list[Letter]:
    """Tomás, in a thread whose quotes grow with each answer."""
    draft_at, answer_at = times.workday(3, "18:02"), times.workday(2, "09:15")
    text, answer = body("contract-1"), body("contract-2")
    clauses = body("contract-paper").strip().split("\n\n")
    paper = letter_pdf("Framework agreement, draft 4", "Ferreira Advogados", draft_at, clauses)
    first = write(
        Draft(
            "contract-1", TOMAS, (VLAD,), CONTRACT, draft_at,
            cc=(INES,), text=wrapped(text), html=plain_html(text),
            parts=(Part("Contrato-quadro, versão 4.pdf", PDF, paper),),
            charset="iso-8859-1", transfer="quoted-printable", rcpt_to=(VLAD.address,),
        )
    )  # fmt: skip
    mine = Draft(
        "contract-2", VLAD, (TOMAS,), f"Re: {CONTRACT}", answer_at, text=answer, parent=first
    )
    tail = quoted(f"{answer}\n{quoted(text, TOMAS, draft_at)}", VLAD, answer_at)
    second = Draft(
        "contract-3", TOMAS, (VLAD,), f"Re: {CONTRACT}", times.ago(minutes=98),
        text=wrapped(f"{body('contract-3')}\n{tail}"), parent=write(mine),
    )  # fmt: skip
    return [first, write(second)]


def invoice(times: Times) -> Letter:
    """A PDF to pay, and the firm's mark at the foot of the letter."""
    day = berlin(times.workday(1, "12:00")).date()
    number, due = f"{day:%Y-%m}07", long_day(day + timedelta(days=30))
    paper = Paper(
        kind="Invoice",
        number=number,
        day=day,
        sender=LAWYERS_FIRM,
        receiver=ACME_FIRM,
        items=(
            Item("Review of the framework agreement, Lisbon office", 6, "h", 24000),
            Item("Commercial register filings", 2, "pcs", 8900),
            Item("Certified translations, Portuguese", 14, "pages", 4200),
            Item("Courier", 1, "pcs", 2350),
        ),
        note=f"Please pay by {due}, naming the number of this invoice.\nThank you for your trust.",
        facts=(("Customer", "10442"), ("Due", due)),
    )
    cid = "logo@okafor-lindqvist.example"
    parts = (
        Part("logo.png", "image/png", pictures.logo(), cid),
        Part(f"Invoice {number}.pdf", PDF, paper_pdf(paper)),
    )
    draft = Draft(
        "invoice", BILLING, (VLAD,), f"Invoice {number}", times.workday(1, "14:06"),
        text=wrapped(body("invoice", due=due)), html=body("invoice.html", due=due, cid=cid),
        parts=parts,
    )  # fmt: skip
    return write(draft)
