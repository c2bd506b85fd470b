"""A mailbox with what pages must bear: long words, many people, no names, three scripts."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.invitation_views import Invited
from app.leaving_views import Leaving
from app.phrase import Phrase
from app.viewer import Person, Role
from app.views import DeliveryState, Row, SenderCheck
from archive_store.ids import show

NOW = datetime(2026, 11, 24, 10, 8, tzinfo=UTC)
KEEP = timedelta(days=7)
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@dataclass(frozen=True, slots=True)
class Address:
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Attachment:
    index: int
    filename: str
    content_type: str
    size: int
    inline: bool = False
    octets: bytes = b"%PDF-1.7 sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    subject: str
    sender: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    date: datetime | None = None
    text: str | None = "Hello"
    html: str | None = None
    message_id: str = "<20261124.0958.71@brightwater.example>"
    headers: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One entry of the sample mailbox."""

    row: Row
    parsed: Parsed
    text: str = "Hello,\n\nthis is a short message.\n\nRegards"
    attachments: tuple[Attachment, ...] = ()
    delivery: DeliveryState = field(default_factory=lambda: DeliveryState(state="none"))
    genuine: bool = True
    blocked_images: int = 0
    marked_links: int = 0
    talk: str = ""  # letters of one conversation have the same
    told: Phrase | None = None
    check: SenderCheck | None = None
    first_time: bool = False
    invitation: Invited | None = None
    leaving: Leaving | None = None
    files: str = "off"  # of viruses in it


def entry_id(number: int) -> str:
    return show(number.to_bytes(16, "big"))


def person(address: str, name: str, role: Role, domain: str = "acme.example") -> Person:
    return Person(
        id=address.encode().ljust(16, b"\0")[:16],
        address=address,
        name=name,
        role=role,
        domain_id=None if role is Role.PROVIDER else b"acme".ljust(16, b"\0"),
        domain_name="" if role is Role.PROVIDER else domain,
    )


VLAD = person("vlad@acme.example", "Vlad Mazek", Role.USER)
MARIA = person("maria@acme.example", "Maria Lopez", Role.DOMAIN_ADMIN)
AUDITOR = person("audit@acme.example", "", Role.AUDITOR)
PROVIDER = person("provider@livearchive.example", "Petra Ost", Role.PROVIDER)
PEOPLE = {who.address: who for who in (VLAD, MARIA, AUDITOR, PROVIDER)}
PASSWORD = "correct horse battery staple"
IDENTITIES = ("vlad@acme.example", "sales@acme.example", "vlad@ownwebnow.example")

LETTER_TEXT = """Thank you Vlad, Thursday before noon works for the driver.

The signed order and the packing list are attached. Two things to check before you countersign:

 - line 3 is now 40 units instead of 36,
 - the delivery address is the new gate in Harbour Street: https://brightwater.example/gates

If both are right, a short "confirmed" from you is enough and I release the shipment today.

Kind regards,
Hanna

> Hanna, Thursday suits us if the truck is here before noon.
> Please send the signed order so that we can plan the ramp.
"""
NEWSLETTER = (
    '<div style="max-width:600px;margin:0 auto;text-align:center">'
    '<h1 style="color:#b4351f">Autumn at the harbour</h1>'
    '<p style="color:#444444">Everything that rolls, floats or hangs from a crane.</p>'
    '<table style="width:100%;border-collapse:collapse"><tr>'
    '<td style="padding:24px;background-color:#fbe9e4">Cranes</td>'
    '<td style="padding:24px;background-color:#e4effb">Barges</td></tr></table>'
    '<p><a href="https://harbour.example/">Read it on the web</a></p></div>'
)
ARABIC = "مرحبا فلاد،\n\nتم تأكيد موعد التسليم يوم الخميس قبل الظهر.\n\nمع أطيب التحيات\nليلى"

_HANNA = Address("Hanna Berg", "hanna.berg@brightwater.example")
_ME = Address("Vlad Mazek", "vlad@acme.example")
_SALES = Address("Acme Sales", "sales@acme.example")
_BOARD = tuple(
    Address(f"{first} {last}" if i % 4 else "", f"{first}.{last}@northwind.example".lower())
    for i, (first, last) in enumerate(
        zip(
            "Ada Ben Cem Dana Eva Finn Gita Hugo Ines Jan Kim Lea Max Nia Olaf Pia Quin Rosa"
            "".split(),
            "Abel Brandt Celik Dietz Ebert Falk Gupta Hahn Ibsen Jung Kaya Lind Moser Noor "
            "Olsen Pohl Quist Roth".split(),
            strict=True,
        )
    )
)


def _row(number: int, sender: Address | None, subject: str, preview: str, **more: Any) -> Row:
    hours = more.pop("hours", 0.2)
    assert isinstance(hours, int | float)
    base = Row(
        id=entry_id(number),
        sender_name=sender.name if sender else "",
        sender_address=sender.address if sender else "",
        subject=subject,
        preview=preview,
        received_at=NOW - timedelta(hours=hours),
        seen=True,
        answered=False,
        forwarded=False,
        starred=False,
        has_attachments=False,
        only_here=False,
        sent_to="vlad@acme.example",
        size=18_400,
        unreadable=False,
        folder="inbox",
    )
    return replace(base, **more)


def _letter(
    row: Row, sender: Address | None, to: tuple[Address, ...] = (_ME,), **more: Any
) -> Letter:
    parsed_only = ("cc", "html", "problems", "reply_to")
    inner = {name: more.pop(name) for name in parsed_only if name in more}
    parsed = Parsed(
        subject=row.subject,
        sender=sender,
        to=to,
        date=row.received_at,
        **inner,
    )
    files = more.get("attachments", ())
    row = replace(row, has_attachments=bool(files))
    return Letter(row=row, parsed=parsed, **more)


def _named(names: str) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(i, name.strip(), "application/octet-stream", 3_100 * (i * i + 1))
        for i, name in enumerate(names.split(","))
    )


def arrived(subject: str) -> Letter:
    """One more message, just now."""
    row = _row(30, _HANNA, subject, "", hours=0.0, seen=False)
    return _letter(row, _HANNA)


def letters() -> list[Letter]:
    """The mailbox, newest first within a folder."""
    only_here = DeliveryState(state="only_here")
    delivered = DeliveryState(
        state="delivered", at=NOW - timedelta(hours=2), detail="250 2.0.0 queued as 4F2A1"
    )
    failed = DeliveryState(
        state="failed", at=NOW - timedelta(hours=20), detail="552 5.2.2 mailbox is full"
    )
    priya = Address("Priya Nair", "priya.nair@northwind.example")
    layla = Address("ليلى حداد", "layla@haddad.example")
    bare = Address("", "no-reply@a-really-long-name-of-a-mail-sending-service.example")
    poser = Address("security@your-bank.example", "x81@mailer.example")
    return [
        _letter(
            _row(
                1,
                _HANNA,
                "Purchase order 4471: delivery moved to Thursday?",
                "Thank you, Thursday before noon works. The signed order is attached",
                only_here=True,
                sent_to="sales@acme.example",
            ),
            _HANNA,
            (_SALES,),
            cc=(Address("Lars Holm", "lars@acme.example"),),
            text=LETTER_TEXT,
            attachments=_named("PO-4471 signed.pdf,Packing list 4471.xlsx"),
            talk="order",
            delivery=only_here,
        ),
        _letter(
            _row(
                2,
                priya,
                "Board dry run, new time",
                "I moved us to 15:00 so that Tomás can join from Lisbon. Same room",
                hours=0.5,
                seen=False,
                only_here=True,
            ),
            priya,
            (_ME, *_BOARD),
            cc=_BOARD[:3],
            html=NEWSLETTER,
            blocked_images=3,
            attachments=_named("Board deck v3.pdf,invite.ics"),
            delivery=only_here,
        ),
        _letter(
            _row(
                3,
                bare,
                "",
                "Your driver is Lars, plate B-NW 2210. He calls ahead",
                hours=1.0,
                sent_to="sales@acme.example",
            ),
            bare,
            (_SALES,),
            delivery=DeliveryState(state="waiting"),
        ),
        _letter(
            _row(
                4,
                Address("Tomás Ferreira", "tomas@ferreira.example"),
                "Contract draft with the Lisbon office",
                "Agreed on clause 7. I will send a clean copy this afternoon",
                hours=1.6,
                answered=True,
                starred=True,
            ),
            Address("Tomás Ferreira", "tomas@ferreira.example"),
            delivery=delivered,
            talk="order",
        ),
        _letter(
            _row(
                5,
                layla,
                "تأكيد موعد التسليم يوم الخميس",
                ARABIC.replace("\n", " "),
                hours=2.2,
                seen=False,
            ),
            layla,
            text=ARABIC,
            delivery=delivered,
        ),
        _letter(
            _row(
                6,
                Address(LONG_WORD, "amt@bauamt.example"),
                f"Re: {LONG_WORD} {LONG_WORD}",
                "Sehr geehrter Herr Mazek, anbei die geänderten Unterlagen",
                hours=3.0,
                forwarded=True,
                answered=True,
            ),
            Address(LONG_WORD, "amt@bauamt.example"),
            text=f"{LONG_WORD * 4}\n",
            delivery=failed,
        ),
        _letter(
            _row(
                7,
                poser,
                "Your account \u202egnp.exe\u202c needs you",
                "Click within 24 hours",
                hours=18,
            ),
            poser,
            genuine=False,
            attachments=(Attachment(0, "invoice\u202efdp.exe", "application/pdf", 42_000),),
        ),
        _letter(
            _row(8, None, "", "", hours=20, unreadable=True, seen=False),
            None,
            (),
            problems=("nested more than 30 deep", "header larger than 512 KiB"),
        ),
        _letter(
            _row(
                9,
                Address("Dana Whitfield", "dana@whitfield.example"),
                "Photos from the warehouse",
                "Forty pictures, the last three show the damaged pallet",
                hours=22,
            ),
            Address("Dana Whitfield", "dana@whitfield.example"),
            attachments=_named(",".join(f"IMG_{n:04}.jpg" for n in range(1, 40)) + ",README"),
            delivery=delivered,
        ),
        _letter(
            _row(
                10,
                Address("Jun Watanabe", "jun@watanabe.example"),
                "Re: 見積もりの件 / quote for 40 units",
                "ありがとうございます。We will confirm the quantity by Friday",
                hours=24 * 5 + 3,
                seen=False,
                sent_to="sales@acme.example",
            ),
            Address("Jun Watanabe", "jun@watanabe.example"),
        ),
        _letter(
            _row(
                11,
                Address("Carla Moreno", "carla@moreno.example"),
                "Lunch on the 26th?",
                "The place by the canal has a table at half past twelve",
                hours=24 * 6 + 21,
            ),
            Address("Carla Moreno", "carla@moreno.example"),
        ),
        _letter(
            _row(
                20,
                _ME,
                "Re: Terms for 2027",
                "Hanna, we can do 1.5 % from January",
                hours=4,
                folder="sent",
                to=("Hanna Berg", "Lars Holm"),
                only_here=True,
            ),
            _ME,
            (_HANNA,),
            delivery=only_here,
            talk="order",
        ),
        _letter(
            _row(
                21,
                _HANNA,
                "Old price list",
                "As agreed, please disregard",
                hours=30,
                folder="trash",
            ),
            _HANNA,
        ),
        _letter(
            _row(
                22,
                Address("Lucky Winner", "a@b.example"),
                "You have won",
                "Send us your details",
                hours=5,
                folder="spam",
                seen=False,
            ),
            Address("Lucky Winner", "a@b.example"),
        ),
    ]
