"""Infected mail is marked, and none of its files gets out, whichever way it is asked for."""

from base64 import b64encode
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial

import pytest
from sqlalchemy import update

from app.file_views import FilesLocked, FileState, FilesUnchecked
from app.reading.service import Reading
from app.scanning.background import Background
from app.scanning.clamd import Clamd
from app.scanning.scanner import MOST_FILES, Scanner
from app.viewer import Viewer
from app.views import BadDraft, Outgoing
from archive_store import ids
from archive_store.errors import StoreBusy
from archive_store.indexing import Indexer
from archive_store.mime.values import Attachment, ParsedMessage
from archive_store.mime.worker import ParserPool
from archive_store.models import Entry
from tests.app.conftest import World
from tests.app.drawn import made_picture
from tests.app.reading.mail import PLAIN, mail
from tests.parts.clamav import EICAR, LARGEST, SIGNATURE, Clamav
from tests.parts.network import wait_until


def with_files(*files: bytes, html: str = "") -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "Hanna <hanna@in.example>", "vlad@acme.example"
    message["Subject"] = "The invoice"
    message.set_content("Please pay.\n")
    if html:
        message.add_alternative(html, subtype="html")
    for number, octets in enumerate(files):
        name = f"{number}.bin"
        message.add_attachment(octets, maintype="image", subtype="png", filename=name)
    message.add_attachment(EmailMessage(policy=SMTP))
    return message.as_bytes()


INFECTED = with_files(made_picture(20, 10), EICAR)


@pytest.fixture
def checked(world: World, clamav: Clamav) -> World:
    """A world with a clamd."""
    world.checks_files(scanner(world, clamav))
    return world


def scanner(world: World, clamav: Clamav) -> Scanner:
    return Scanner(Clamd(clamav.where), world.parsers, rest=0.0)


def index(world: World, scanner: Scanner, look: float = 60.0) -> Background:
    """Index what waits as the index role does, and look at it in the background."""
    background = Background(world.db, scanner, "index", look, now=world.clock)
    indexer = Indexer(
        world.db, world.reader, world._index_keys, world.parsers, listed=background.offer
    )
    while indexer.run_once():
        pass
    return background


def found(world: World, entry_id: str) -> str:
    return world.entry(entry_id).scan


def ways(reading: Reading, viewer: Viewer, one: str) -> list[Callable[[], object]]:
    """Every way to a file of a message."""
    return [
        partial(reading.attachment, viewer, one, (0,)),
        partial(reading.attachment, viewer, one, (0,), unchecked=True),
        partial(reading.attachments, viewer, one),
        partial(reading.attachments, viewer, one, unchecked=True),
        partial(reading.original, viewer, one),
        partial(reading.original, viewer, one, unchecked=True),
    ]


def looks(reading: Reading, viewer: Viewer, one: str) -> list[Callable[[], object]]:
    """Every way to look at a file without taking it."""
    return [
        partial(reading.preview, viewer, one, (0,), 100),
        partial(reading.open_enclosed, viewer, one, (2,)),
        partial(reading.enclosed_body, viewer, one, (2,)),
        partial(reading.open_paper, viewer, one, (0,), 1),
        partial(reading.sheet, viewer, one, (0,), 1, 100),
    ]


def test_infected_mail_is_marked_in_the_list_before_anybody_opens_it(
    checked: World, clamav: Clamav
) -> None:
    both = ("vlad@acme.example", "maria@acme.example")
    bad, _ = checked.receive(INFECTED, *both)
    [good] = checked.receive(with_files(b"harmless"))
    background = index(checked, scanner(checked, clamav))
    wait_until(lambda: found(checked, bad) != "" != found(checked, good), "verdicts")
    background.close()
    viewer = checked.viewer()
    rows = checked.reading.list_folder(viewer, "inbox", page=1, filter="all").rows
    assert {row.id: row.infected for row in rows} == {bad: True, good: False}
    rows = checked.reading.list_conversations(viewer, "inbox", page=1, filter="all").rows
    assert {row.id: row.infected for row in rows} == {bad: True, good: False}
    opened = checked.reading.open_message(viewer, bad)
    assert (opened.files, opened.virus, opened.zips) == (FileState.INFECTED, SIGNATURE, False)
    assert len(checked.events("message.infected")) == 2  # of either mailbox
    assert SIGNATURE.encode() in checked.events("message.infected")[0]


class LateParsers:
    """Parsers of which the first child cannot be started."""

    def __init__(self, parsers: ParserPool) -> None:
        self._parsers = parsers
        self._failed = False

    def message(self, octets: bytes) -> ParsedMessage:
        if not self._failed:
            self._failed = True
            raise StoreBusy("no parser process could be started")
        return self._parsers.message(octets)

    def attachment(self, octets: bytes, index: int) -> tuple[Attachment, bytes] | None:
        return self._parsers.attachment(octets, index)


def test_mail_is_looked_at_after_one_that_no_parser_could_be_started_for(
    checked: World, clamav: Clamav
) -> None:
    [one] = checked.receive(with_files(b"harmless"))
    [other] = checked.receive(INFECTED)
    looking = Scanner(Clamd(clamav.where), LateParsers(checked.parsers), rest=0.0)
    background = index(checked, looking)
    wait_until(lambda: found(checked, other) != "", "a verdict")
    background.close()
    assert (found(checked, one), found(checked, other)) == ("", FileState.INFECTED)


def test_no_way_leads_to_a_file_of_infected_mail_and_each_attempt_is_on_the_record(
    checked: World, clamav: Clamav
) -> None:
    [one] = checked.receive(INFECTED)
    viewer, reading = checked.viewer(), checked.reading
    for count, way in enumerate(ways(reading, viewer, one) + looks(reading, viewer, one), 1):
        with pytest.raises(FilesLocked):
            way()
        assert len(checked.events("attachment.locked")) == count
    assert checked.events("attachment.downloaded") == []
    assert checked.events("message.downloaded") == []
    # Another person's is not there, locked or not.
    for way in ways(reading, checked.viewer("maria"), one):
        with pytest.raises(Exception, match="no such message"):
            way()


def test_its_text_can_be_read_and_shows_nothing_else(checked: World) -> None:
    html = '<p>Please pay.</p><img src="cid:logo">'
    octets = with_files(made_picture(4, 4), EICAR, html=html).replace(
        b"Content-Disposition: attachment; filename", b"Content-ID: <logo>\r\nX-Name: ", 1
    )
    [one] = checked.receive(octets)
    viewer, reading = checked.viewer(), checked.reading
    assert "data:" in reading.body_html(viewer, one).document
    with pytest.raises(FilesLocked):
        reading.original(viewer, one)
    assert "Please pay." in reading.body_html(viewer, one).document
    assert "data:" not in reading.body_html(viewer, one).document
    source = reading.source(viewer, one)
    assert b"Subject: The invoice" in source
    assert b"Please pay" not in source


def letter(world: World, viewer: Viewer, **more: object) -> Outgoing:
    own = world.sending.identities(viewer)[0].id
    basis = {"to": "lee@out.example", "cc": "", "bcc": "", "subject": "Fwd", "text": "See"}
    return Outgoing(identity_id=own, **{**basis, **more})  # type: ignore[arg-type]  # as a form has it


def test_infected_mail_leaves_as_text_alone(checked: World) -> None:
    [one] = checked.receive(INFECTED)
    viewer, sending = checked.viewer(), checked.sending
    with pytest.raises(FilesLocked):
        sending.draft_for(viewer, "enclose", one)
    draft = sending.draft_for(viewer, "forward", one)
    assert draft.attachments == ()
    assert "Please pay." in draft.text
    assert sending.draft_for(viewer, "reply", one).pictures == {}
    as_forward = {"source_entry": one, "source_kind": "forward"}
    with pytest.raises(BadDraft) as caught:
        sending.send(viewer, letter(checked, viewer, **as_forward, keep_attachments=(1,)))
    assert caught.value.field == "attachments"
    with pytest.raises(FilesLocked):
        sending.send(viewer, letter(checked, viewer, source_entry=one, source_kind="enclose"))
    sending.send(viewer, letter(checked, viewer, **as_forward))
    assert len(checked.events("message.sent")) == 1


def test_what_is_clean_is_given_and_looked_at_once(checked: World) -> None:
    [one] = checked.receive(with_files(b"harmless"))
    viewer, reading = checked.viewer(), checked.reading
    assert reading.open_message(viewer, one).files == FileState.UNCHECKED
    assert reading.attachment(viewer, one, (0,))[1] == b"harmless"
    entry = checked.entry(one)
    assert (entry.scan, entry.scan_by[:8]) == (FileState.CLEAN, "ClamAV 1")
    assert not reading.checks.needs(entry)
    assert reading.open_message(viewer, one).files == FileState.CLEAN


def test_new_signatures_are_asked_again_and_open_or_lock(checked: World, clamav: Clamav) -> None:
    [one] = checked.receive(INFECTED)
    [two] = checked.receive(with_files(b"harmless"))
    old = {"scan_by": "ClamAV 1.4.6/1/Mon Jan  1 2024"}
    missed = {"scan": "clean", **old}
    false_alarm = {"scan": "infected", "scan_found": "Wrong", **old}
    with checked.db.write() as tx:
        for entry_id, verdict in ((one, missed), (two, false_alarm)):
            tx.execute(update(Entry).where(Entry.id == ids.read(entry_id)).values(**verdict))
    viewer, reading = checked.viewer(), checked.reading
    with pytest.raises(FilesLocked):
        reading.attachment(viewer, one, (0,))
    assert found(checked, one) == FileState.INFECTED
    assert reading.attachment(viewer, two, (0,))[1] == b"harmless"
    assert found(checked, two) == FileState.CLEAN


def test_what_is_larger_than_the_scanner_takes_is_given_after_a_warning(checked: World) -> None:
    [one] = checked.receive(with_files(b"x" * 2 * LARGEST))
    viewer, reading = checked.viewer(), checked.reading
    with pytest.raises(FilesUnchecked) as caught:
        reading.attachment(viewer, one, (0,))
    assert caught.value.state is FileState.LARGE
    assert reading.open_message(viewer, one).files == FileState.LARGE
    assert len(reading.attachment(viewer, one, (0,), unchecked=True)[1]) == 2 * LARGEST


def test_with_clamd_away_slow_or_killed_people_are_warned_and_what_is_locked_stays_so(
    world: World, own_clamav: Clamav
) -> None:
    asked = scanner(world, own_clamav)
    world.checks_files(asked)
    [clean], [bad], [new] = (
        world.receive(one) for one in (with_files(b"harmless"), INFECTED, with_files(b"more"))
    )
    viewer, reading = world.viewer(), world.reading
    own_clamav.start()
    reading.attachment(viewer, clean, (0,))
    with pytest.raises(FilesLocked):
        reading.attachment(viewer, bad, (0,))
    for trouble in (own_clamav.hold_up, own_clamav.kill):
        trouble()
        world.checks_files(asked, patience=0.3)
        reading.attachment(viewer, clean, (0,))
        with pytest.raises(FilesLocked):
            reading.attachment(viewer, bad, (0,), unchecked=True)
        with pytest.raises(FilesUnchecked) as caught:
            reading.attachment(viewer, new, (0,))
        assert caught.value.state is FileState.UNCHECKED
        assert reading.attachment(viewer, new, (0,), unchecked=True)[1] == b"more"
        own_clamav.stop()
        own_clamav.start()
    world.checks_files(scanner(world, own_clamav))
    reading.attachment(viewer, new, (0,))
    assert found(world, new) == FileState.CLEAN


def test_a_silent_clamd_is_an_alarm_until_it_answers_and_holds_up_nobody(
    world: World, own_clamav: Clamav
) -> None:
    one, _ = world.receive(INFECTED, "vlad@acme.example", "maria@acme.example")
    background = index(world, scanner(world, own_clamav), look=0.05)
    wait_until(lambda: world.events("scanner.silent") != [], "the alarm")
    assert world.entry(one).indexed
    assert found(world, one) == ""
    own_clamav.start()
    wait_until(lambda: world.events("scanner.answers") != [], "the end of the alarm")
    background.close()
    assert len(world.events("scanner.silent")) == 1


def test_without_a_scanner_nothing_is_said_and_nothing_asked(world: World) -> None:
    [one] = world.receive(INFECTED)
    [two] = world.receive(PLAIN + mail())
    viewer, reading = world.viewer(), world.reading
    assert reading.open_message(viewer, one).files == FileState.OFF
    assert reading.attachment(viewer, one, (1,))[1] == EICAR
    assert reading.original(viewer, two)


def odd(*files: bytes) -> bytes:
    """A mail that is none to clamd, so that it decodes nothing."""
    parts = (
        b"--zzz\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b64encode(one) + b"\r\n"
        for one in files
    )
    head = b"X-Odd: 1\r\nContent-Type: multipart/mixed; boundary=zzz\r\n\r\n"
    return head + b"".join(parts) + b"--zzz--\r\n"


def test_what_clamd_does_not_see_in_the_mail_is_found_in_the_file_that_is_given(
    checked: World, clamav: Clamav
) -> None:
    octets = odd(EICAR)
    assert Clamd(clamav.where).scan(octets, 60) == ""
    [one] = checked.receive(octets)
    with pytest.raises(FilesLocked):
        checked.reading.attachment(checked.viewer(), one, (0,))


def test_it_is_found_as_well_in_the_file_of_a_mail_in_the_mail(checked: World) -> None:
    octets = odd(odd(EICAR)).replace(b"application/octet-stream", b"message/rfc822", 1)
    [one] = checked.receive(octets)
    with pytest.raises(FilesLocked):
        checked.reading.attachment(checked.viewer(), one, (0, 0))


def test_of_more_files_than_are_looked_at_one_by_one_people_are_warned(checked: World) -> None:
    [one] = checked.receive(odd(*[b"harmless"] * MOST_FILES, EICAR))
    viewer, reading = checked.viewer(), checked.reading
    with pytest.raises(FilesUnchecked) as caught:
        reading.attachment(viewer, one, (MOST_FILES,))
    assert caught.value.state is FileState.LARGE
    assert reading.open_message(viewer, one).files == FileState.LARGE
