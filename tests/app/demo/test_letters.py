"""The sample mail: well formed, from the past, threaded, and different each round."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from itertools import pairwise

import pytest

from app.demo.people import PEOPLE
from app.demo.traffic.batch import first_batch
from app.demo.traffic.drip import drip_letter, templates
from app.demo.traffic.letter import Letter, Times

# Monday morning, a Sunday, New Year's Day, and a day when Berlin's clocks change.
MOMENTS = [
    datetime(2026, 11, 23, 5, 30, tzinfo=UTC),
    datetime(2026, 11, 29, 20, 0, tzinfo=UTC),
    datetime(2027, 1, 1, 0, 5, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
]
NOW = MOMENTS[0]
AS_IS = policy.compat32.clone(linesep="\r\n", max_line_length=None)
ROUND = len(templates())


def parsed(letter: Letter) -> EmailMessage:
    message = message_from_bytes(letter.octets, _class=EmailMessage, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.fixture(scope="module")
def batch() -> list[Letter]:
    return first_batch(NOW)


@pytest.fixture(scope="module")
def by_name(batch: list[Letter]) -> dict[str, EmailMessage]:
    return {letter.name: parsed(letter) for letter in batch}


@pytest.fixture(scope="module")
def stream() -> list[Letter]:
    return [drip_letter("seed", number, NOW) for number in range(ROUND * 4)]


def faults(letter: Letter) -> list[str]:
    """Everything that a strict reader would complain about."""
    message = parsed(letter)
    found = [
        f"{part.get_content_type()}: {part.defects}" for part in message.walk() if part.defects
    ]
    for part in message.walk():
        found += [f"{name}: {value}" for name, value in part.items() if value.defects]
        if part.get_content_maintype() == "text":
            part.get_content()  # raises when the charset does not fit
    if message_from_bytes(letter.octets, policy=AS_IS).as_bytes(policy=AS_IS) != letter.octets:
        found.append("does not come back the same")
    if b"\n" in letter.octets.replace(b"\r\n", b"") or b"\r" in letter.octets.replace(b"\r\n", b""):
        found.append("bare line ends")
    if max(map(len, letter.octets.split(b"\r\n"))) > 998:
        found.append("a line over 998 octets")
    head = letter.octets.partition(b"\r\n\r\n")[0]
    for name in (b"Date", b"From", b"To", b"Message-ID", b"MIME-Version"):
        if head.lower().count(b"\r\n" + name.lower() + b":") + head.startswith(name) != 1:
            found.append(f"not one {name.decode()}")
    return found


@pytest.mark.parametrize("now", MOMENTS, ids=lambda now: f"{now:%a %d %b}")
def test_every_letter_is_well_formed_and_none_is_from_the_future(now: datetime) -> None:
    letters = first_batch(now)
    assert {letter.name: found for letter in letters if (found := faults(letter))} == {}
    assert len(letters) >= 40
    dates = [parsedate_to_datetime(parsed(letter)["Date"]) for letter in letters]
    assert dates == sorted(dates)
    assert now - timedelta(days=8) < dates[0]
    assert dates[-1] <= now


def test_the_stream_is_well_formed_too(stream: list[Letter]) -> None:
    assert {letter.name: found for letter in stream if (found := faults(letter))} == {}


def test_names_and_message_ids_are_unique(batch: list[Letter], stream: list[Letter]) -> None:
    everything = [*batch, *stream]
    assert max(Counter(letter.name for letter in everything).values()) == 1
    assert max(Counter(letter.message_id for letter in everything).values()) == 1


def test_a_batch_is_the_same_octets_each_time(batch: list[Letter]) -> None:
    assert first_batch(NOW) == batch


def test_mail_goes_to_people_of_the_demo_and_every_identity_gets_some(batch: list[Letter]) -> None:
    addresses = {person.address for person in PEOPLE}
    for person in PEOPLE:
        addresses |= {text.partition("<")[2].removesuffix(">") for text in person.identities}
    reached = {address for letter in batch for address in letter.rcpt_to}
    assert reached <= addresses
    assert reached >= {
        "vlad@acme.example",
        "sales@acme.example",
        "vlad@ownwebnow.example",
        "maria@acme.example",
        "audit@acme.example",
    }


def test_no_address_or_link_leads_to_a_real_place(
    batch: list[Letter], stream: list[Letter]
) -> None:
    for letter in (*batch, *stream):
        for part in parsed(letter).walk():
            if part.get_content_maintype() != "text":
                continue
            text = str(part.get_content())
            for word in text.replace('"', " ").replace("<", " ").replace(">", " ").split():
                host = word.partition("://")[2].partition("/")[0]
                assert not host or host.endswith(".example"), word
        assert letter.mail_from == "" or letter.mail_from.endswith(".example")


def test_the_order_is_one_thread_with_its_answers(by_name: dict[str, EmailMessage]) -> None:
    thread = [by_name[f"order-{number}"] for number in (1, 3, 4, 5)]
    first = thread[0]["Message-ID"]
    assert "References" not in thread[0]
    for before, message in pairwise(thread):
        references = message["References"].split()
        assert references[0] == first
        assert references[-1] == message["In-Reply-To"]
        assert before["Message-ID"] in references
    assert {attachment.get_filename() for attachment in thread[3].iter_attachments()} == {
        "PO-4471 signed.pdf",
        "Packing list 4471.xlsx",
    }


def test_the_kinds_that_a_mailbox_must_cope_with_are_there(
    by_name: dict[str, EmailMessage],
) -> None:
    octets = {name: message.as_bytes() for name, message in by_name.items()}
    assert by_name["quote-1"].get_content_charset() == "iso-2022-jp"
    assert b"=?iso-2022-jp?" in octets["quote-1"]
    assert by_name["quote-1"]["Subject"] == "見積もりの件"
    assert by_name["quote-3"].get_content_charset() == "utf-8"
    assert 'dir="rtl"' in html_of(by_name["arabic"])
    assert by_name["office-supplies"].get_content_charset() == "windows-1252"
    assert "„Möwe“" in html_of(by_name["office-supplies"])
    assert by_name["french"]["Content-Transfer-Encoding"] == "8bit"
    assert by_name["bookshop"].get_param("format") == "flowed"
    assert by_name["forklift"].get_content().strip() == ""
    assert by_name["lunch"]["Subject"] is None
    assert len(by_name["tender"]["Subject"]) > 300
    assert "🎂" in by_name["cake"]["Subject"]
    assert by_name["contract-3"].get_content().count("\n> > ") > 5
    nested = list(by_name["insurance-forwarded"].iter_attachments())
    assert [part.get_content_type() for part in nested] == ["message/rfc822"]


def html_of(message: EmailMessage) -> str:
    body = message.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def test_an_invitation_is_an_alternative_and_the_second_replaces_the_first(
    by_name: dict[str, EmailMessage],
) -> None:
    calendars = []
    for name in ("board-1", "board-2"):
        parts = [p for p in by_name[name].walk() if p.get_content_type() == "text/calendar"]
        assert [part.get_param("method") for part in parts] == ["REQUEST"]
        calendars.append(parts[0].get_content())
    uids = {line for text in calendars for line in text.splitlines() if line.startswith("UID:")}
    assert len(uids) == 1
    assert "SEQUENCE:0" in calendars[0]
    assert "SEQUENCE:1" in calendars[1]


@pytest.mark.parametrize("name", ["parcel-report", "invoice"])
def test_pictures_inside_a_letter_are_found_by_their_id(
    by_name: dict[str, EmailMessage], name: str
) -> None:
    html = html_of(by_name[name])
    pictures = [part for part in by_name[name].walk() if part["Content-ID"]]
    assert len(pictures) == 1
    assert f'src="cid:{pictures[0]["Content-ID"][1:-1]}"' in html
    assert pictures[0].get_content_disposition() == "inline"


@pytest.mark.parametrize("name", ["quay", "coffee"])
def test_newsletters_have_what_newsletters_have(
    by_name: dict[str, EmailMessage], name: str
) -> None:
    message, html = by_name[name], html_of(by_name[name])
    assert message["List-Unsubscribe"].startswith("<https://")
    assert '<img src="https://' in html
    assert "@media" in html
    assert "$" not in html


def test_the_stream_goes_on_where_it_stopped_and_no_round_is_like_another(
    stream: list[Letter],
) -> None:
    assert drip_letter("seed", 5, NOW) == stream[5]
    rounds = [
        [letter.name.split()[-1] for letter in stream[start : start + ROUND]]
        for start in range(0, len(stream), ROUND)
    ]
    assert all(sorted(names) == sorted(templates()) for names in rounds)
    assert rounds[0] != rounds[1]
    assert drip_letter("other", 5, NOW).message_id != stream[5].message_id


def test_answers_in_the_stream_come_after_what_they_answer(stream: list[Letter]) -> None:
    seen: set[str] = set()
    answers = 0
    for letter in stream:
        parent = parsed(letter)["In-Reply-To"]
        if parent is not None:
            answers += 1
            assert parent in seen
        seen.add(letter.message_id)
    assert answers == 4 * sum(1 for script in templates().values() if script.follows)


def test_a_working_day_is_never_a_weekend() -> None:
    for day in range(14):
        times = Times(NOW + timedelta(days=day))
        for back in range(1, 5):
            moment = times.workday(back, "09:00")
            assert moment.weekday() < 5
            assert timedelta(0) < times.now - moment < timedelta(days=8)
        assert times.next_workday(1).weekday() < 5
        assert times.next_workday(1) > times.now
