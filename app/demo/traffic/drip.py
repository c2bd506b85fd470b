"""The mail that comes in while the demo runs: one after the other, without an end.

Each file in `mail/drip` is one letter with a few headers. A round writes every letter once, in a
random order in which answers follow what they answer; the next round has new numbers and names.
Letter number N of a seed is always the same letter, so the demo goes on where it stopped.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from random import Random
from string import Template

from app.demo.traffic import pictures
from app.demo.traffic.calendar import berlin
from app.demo.traffic.correspondents import (
    ACME_FIRM,
    BRIGHTWATER_FIRM,
    MARIA,
    OWNWEBNOW,
    SALES,
    VLAD,
)
from app.demo.traffic.dice import seeded
from app.demo.traffic.documents import Firm, Item, Paper, letter_pdf, paper_pdf, week_day
from app.demo.traffic.letter import (
    Draft,
    Letter,
    Part,
    Person,
    body,
    message_id_of,
    wrapped,
    write,
)
from app.demo.traffic.lists import BOUNCES, FOOTER
from app.demo.traffic.lists import HEADERS as LIST_HEADERS
from app.demo.traffic.services import AUTOMATIC, card

READERS = {"vlad": VLAD, "sales": SALES, "ownwebnow": OWNWEBNOW, "maria": MARIA}
ARTICLES = ("bow rollers", "cleats M", "shackles 10 mm", "fender hooks", "deck hinges", "bollards")
TOWNS = ("Bremen", "Aarhus", "Gdańsk", "Rotterdam", "Kiel", "Göteborg", "Antwerp", "Riga")
SUPPLIER = Firm(
    "Stahlwerk Söderfors AB",
    "Bruksvägen 3",
    "815 76 Söderfors",
    "Stahlwerk Söderfors AB, VAT SE 999000111101\nBankgiro 000-0000",
    (0.33, 0.2, 0.18),
)


@dataclass(frozen=True, slots=True)
class Script:
    """One file: headers of ours, and the text. Slots are still open."""

    name: str
    headers: dict[str, str]
    text: str

    @property
    def follows(self) -> str:
        return self.headers.get("Follows", "")


@cache
def templates() -> dict[str, Script]:
    """All letters of a round, by name."""
    found = {}
    folder = files("app.demo.traffic") / "mail" / "drip"
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        head, _, text = entry.read_text(encoding="utf-8").partition("\n\n")
        headers = dict(line.split(": ", 1) for line in head.split("\n"))
        name = entry.name.removesuffix(".txt")
        found[name] = Script(name, headers, text)
    return found


def drip_letter(seed: str, number: int, now: datetime) -> Letter:
    """Letter `number` (0 is the first) of a seed's stream, dated now."""
    turn, place = divmod(number, len(templates()))
    chosen = _order(seed, turn)[place]
    thread = f"{seed} {turn} {chosen.follows or chosen.name}"
    slots = _slots(seeded(thread), now)
    headers = {name: Template(value).substitute(slots) for name, value in chosen.headers.items()}
    sender = _person(headers["From"])
    readers = tuple(READERS[word.strip()] for word in headers["To"].split(","))
    text = Template(chosen.text).substitute(slots)
    listed = "List" in headers
    draft = Draft(
        f"drip {seed} {turn} {chosen.name}",
        sender,
        (_person("Continuity <continuity@lists.opsguild.example>"),) if listed else readers,
        headers["Subject"],
        now,
        text=f"{text}\n{FOOTER}" if listed else wrapped(text),
        html=_card(headers, sender, text),
        parts=_papers(headers.get("Attach", ""), slots, now),
        parent=_parent(seed, turn, chosen, now),
        headers=(AUTOMATIC if "Automatic" in headers else ()) + (LIST_HEADERS if listed else ()),
        rcpt_to=tuple(reader.address for reader in readers),
        mail_from=BOUNCES if listed else None,
    )
    return write(draft)


def _order(seed: str, turn: int) -> list[Script]:
    """A round: shuffled, then each answer is moved behind what it answers."""
    order = list(templates().values())
    random = seeded(f"{seed} {turn} order")
    random.shuffle(order)
    for answer in [chosen for chosen in order if chosen.follows]:
        asked = next(at for at, chosen in enumerate(order) if chosen.name == answer.follows)
        place = order.index(answer)
        if place < asked:
            order.remove(answer)
            order.insert(random.randint(asked, len(order)), answer)
    return order


def _slots(random: Random, now: datetime) -> dict[str, str]:
    clock = berlin(now + timedelta(minutes=random.randrange(60, 180, 15)))
    return {
        "order": str(random.randint(4472, 4999)),
        "number": str(random.randint(1000, 9999)),
        "commit": f"{random.getrandbits(28):07x}",
        "count": str(random.randint(12, 96)),
        "article": random.choice(ARTICLES),
        "town": random.choice(TOWNS),
        "clock": f"{clock:%H}:{clock.minute // 15 * 15:02d}",
        "day": week_day(berlin(now + timedelta(days=random.randint(5, 12)))),
    }


def _parent(seed: str, turn: int, chosen: Script, now: datetime) -> Letter | None:
    """What a letter answers: enough of it for In-Reply-To."""
    if not chosen.follows:
        return None
    name = f"drip {seed} {turn} {chosen.follows}"
    asker = _person(templates()[chosen.follows].headers["From"])
    return Letter(name, asker.address, (), b"", now, message_id_of(name, asker))


def _person(text: str) -> Person:
    name, _, address = text.removesuffix(">").partition(" <")
    return Person(name, address)


def _card(headers: dict[str, str], sender: Person, text: str) -> str:
    if "Card" not in headers:
        return ""
    colour, label, link = (part.strip() for part in headers["Card"].split("|"))
    return card(sender, colour, headers["Subject"], text, (label, link))


def _papers(kind: str, slots: dict[str, str], now: datetime) -> tuple[Part, ...]:
    pdf = "application/pdf"
    if kind == "invoice":
        octets = paper_pdf(_paper("Invoice", f"S-{slots['number']}", SUPPLIER, slots, now))
        return (Part(f"Invoice S-{slots['number']}.pdf", pdf, octets),)
    if kind == "order":
        octets = paper_pdf(_paper("Purchase order", slots["order"], BRIGHTWATER_FIRM, slots, now))
        return (Part(f"Order {slots['order']}.pdf", pdf, octets),)
    if kind == "contract":
        clauses = body("contract-paper").strip().split("\n\n")
        octets = letter_pdf("Framework agreement", "Ferreira Advogados", now, clauses)
        return (Part("Contrato-quadro, versão final.pdf", pdf, octets),)
    if kind == "scan":
        line = f"Received: 1 pallet, {slots['count']} {slots['article']}. Signed: L. Holm."
        octets = letter_pdf(f"Delivery note {slots['number']}", "Scanned in hall 1", now, [line])
        return (Part(f"scan-{slots['number']}.pdf", pdf, octets),)
    if kind == "chart":
        octets = pictures.week_chart(int(slots["number"]))
        return (Part("parcels.png", "image/png", octets),)
    return ()


def _paper(kind: str, number: str, sender: Firm, slots: dict[str, str], now: datetime) -> Paper:
    count = int(slots["count"])
    return Paper(
        kind=kind,
        number=number,
        day=berlin(now).date(),
        sender=sender,
        receiver=ACME_FIRM,
        items=(
            Item(slots["article"].capitalize(), count, "pcs", 700 + int(slots["number"]) // 9),
            Item("Packing and freight", 1, "pcs", 4900),
        ),
        note="Thank you.",
        facts=(("Your reference", "Sales, V. Mazek"),),
    )
