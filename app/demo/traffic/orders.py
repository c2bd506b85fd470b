"""The daily business in the sample mail: an order from first word to delivery, a quote, a lorry."""

from app.demo.traffic import pictures
from app.demo.traffic.calendar import berlin
from app.demo.traffic.correspondents import (
    ACME_FIRM,
    BRIGHTWATER_FIRM,
    ELENI,
    FREIGHT,
    HANNA,
    JUN,
    JUN_IN_JAPANESE,
    LARS,
    MAILER,
    PEDER,
    SALES,
)
from app.demo.traffic.documents import Item, Paper, paper_pdf, sheet_xlsx, week_day
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
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SUBJECT = "Purchase order 4471"
MOVED = f"{SUBJECT}: delivery moved to Thursday?"
QUOTE = "Re: 見積もりの件 / quote for 40 units"


def all_letters(times: Times) -> list[Letter]:
    return [*order_letters(times), *quote_letters(times), *freight_letters(times)]


def order_letters(times: Times) -> list[Letter]:
    """Purchase order 4471: Hanna orders, Lars checks the stock, the day moves, the gate too."""
    answer_at = times.workday(3, "15:05")
    text = body("order-1")
    paper = Part("PO-4471.pdf", PDF, order_pdf(times, 36))
    first = Draft(
        "order-1", HANNA, (SALES,), SUBJECT, times.workday(3, "14:22"),
        text=wrapped(text), html=plain_html(text), parts=(paper,),
    )  # fmt: skip
    ordered = write(first)
    # Vlad's own answer went out through his mail server; here it is only quoted.
    answer = Draft(
        "order-2", SALES, (HANNA,), f"Re: {SUBJECT}", answer_at,
        cc=(LARS,), text=body("order-2"), parent=ordered,
    )  # fmt: skip
    tail = quoted(body("order-2"), SALES, answer_at)
    stock = Draft(
        "order-3", LARS, (SALES,), f"Re: {SUBJECT}", times.workday(2, "08:12"),
        cc=(HANNA,), text=wrapped(f"{body('order-3')}\n{tail}"), parent=write(answer),
        rcpt_to=(SALES.address,),
    )  # fmt: skip
    counted = write(stock)
    return [ordered, counted, *_day_moves(times, counted)]


def _day_moves(times: Times, counted: Letter) -> list[Letter]:
    moved_at = times.workday(1, "11:41")
    text, signed = body("order-4"), body("order-5")
    tail = quoted(body("order-3"), LARS, times.workday(2, "08:12"))
    plan = Part("Gate plan Harbour Street.png", "image/png", pictures.site_plan())
    moved = write(
        Draft(
            "order-4", HANNA, (SALES,), MOVED, moved_at,
            cc=(LARS,), text=wrapped(f"{text}\n{tail}"), html=plain_html(text), parts=(plan,),
            parent=counted, rcpt_to=(SALES.address,),
        )
    )  # fmt: skip
    papers = (
        Part("PO-4471 signed.pdf", PDF, order_pdf(times, 40)),
        Part("Packing list 4471.xlsx", XLSX, packing_list()),
    )
    last = Draft(
        "order-5", HANNA, (SALES,), f"Re: {MOVED}", times.ago(minutes=14),
        cc=(LARS,), text=wrapped(f"{signed}\n{quoted(text, HANNA, moved_at)}"),
        html=plain_html(signed), parts=papers, parent=moved, rcpt_to=(SALES.address,),
    )  # fmt: skip
    return [moved, write(last)]


def order_pdf(times: Times, cleats: int) -> bytes:
    """The order as Hanna's firm prints it."""
    paper = Paper(
        kind="Purchase order",
        number="4471",
        day=berlin(times.workday(3, "14:00")).date(),
        sender=BRIGHTWATER_FIRM,
        receiver=ACME_FIRM,
        items=(
            Item("Cleat, stainless, size M", cleats, "pcs", 1840),
            Item("Bow roller, 12 mm chain", 12, "pcs", 7450),
            Item("Anchor winch AW-800, 24 V", 4, "pcs", 68900),
        ),
        note="Delivery to Harbour Street 31, new gate, Thursday before noon.\n"
        "Terms: framework agreement BW-17, 2 % within ten days.",
        facts=(("Buyer", "Hanna Berg"), ("Your reference", "Sales, V. Mazek")),
    )
    return paper_pdf(paper)


def packing_list() -> bytes:
    rows: list[tuple[str | int, ...]] = [
        ("Pallet", "Article", "Pieces", "Weight kg", "Height cm"),
        ("P1", "Cleat, stainless, size M", 40, 34, 60),
        ("P1", "Bow roller, 12 mm chain", 12, 41, 60),
        ("P2", "Anchor winch AW-800", 2, 118, 120),
        ("P3", "Anchor winch AW-800", 2, 118, 120),
    ]
    return sheet_xlsx("Packing list 4471", rows)


def quote_letters(times: Times) -> list[Letter]:
    """A quote for Jun Watanabe: in Japanese the old way (ISO-2022-JP), then in two languages."""
    first = Draft(
        "quote-1", JUN_IN_JAPANESE, (SALES,), "見積もりの件", times.workday(4, "07:55"),
        text=body("quote-1"), charset="iso-2022-jp", transfer="7bit",
    )  # fmt: skip
    asked = write(first)
    answer_at = times.workday(4, "10:30")
    answer = Draft("quote-2", SALES, (JUN,), QUOTE, answer_at, text=body("quote-2"), parent=asked)
    tail = quoted(body("quote-2"), SALES, answer_at)
    thanks = Draft(
        "quote-3", JUN, (SALES,), QUOTE, times.workday(1, "09:03"),
        text=f"{body('quote-3')}\n{tail}", parent=write(answer),
    )  # fmt: skip
    return [asked, write(thanks)]


def freight_letters(times: Times) -> list[Letter]:
    """The lorry, an inquiry, an automatic answer, and one that could not be delivered."""
    day = week_day(times.next_workday(2))
    report = (
        b"Reporting-MTA: dns; mx.brightwater.example\r\n\r\n"
        b"Final-Recipient: rfc822; hana.berg@brightwater.example\r\n"
        b"Action: failed\r\nStatus: 5.1.1\r\n"
    )
    drafts = (
        Draft(
            "freight-pickup", FREIGHT, (SALES,), f"Pickup confirmed for {day}",
            times.ago(minutes=52), text=body("freight-pickup", day=day),
        ),
        Draft(
            "inquiry-paros", ELENI, (SALES,), "Deck fittings for eleven boats, to Piraeus?",
            times.workday(1, "16:27"), text=wrapped(body("inquiry-paros")),
        ),
        Draft(
            "absent-peder", PEDER, (SALES,), "Automatic reply: Spare parts for the Skagerrak yard",
            times.workday(2, "13:31"), text=wrapped(body("absent-peder")), mail_from="",
            headers=(("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All")),
        ),
        Draft(
            "bounce", MAILER, (SALES,), "Undelivered Mail Returned to Sender",
            times.workday(2, "15:06"), text=body("bounce"), mail_from="",
            headers=(("Auto-Submitted", "auto-replied"),),
            parts=(Part("delivery-status.txt", "text/plain", report),),
        ),
    )  # fmt: skip
    return [write(draft) for draft in drafts]
