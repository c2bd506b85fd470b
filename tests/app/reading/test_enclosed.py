"""A mail that is a file of another one, opened in its place."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from app.file_views import MOST_DEEP, Section
from archive_store.errors import NotFound
from tests.app.conftest import World
from tests.app.drawn import made_picture
from tests.app.reading.mail import ATTACHED, mail


def around(octets: bytes, subject: str) -> bytes:
    """A mail with another one as its only file."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "Lee <lee@kung.example>", "vlad@acme.example"
    message["Subject"] = subject
    message.set_content("See the mail below.\n")
    message.add_attachment(message_from_bytes(octets, policy=SMTP))
    return message.as_bytes()


def test_an_enclosed_mail_is_shown_as_any_with_its_own_files(any_world: World) -> None:
    world = any_world
    [entry_id] = world.receive(around(ATTACHED, "Fwd: The offer"))
    viewer, reading = world.viewer(), world.reading
    [file] = reading.open_message(viewer, entry_id).attachments
    section = (file.index,)
    opened = reading.open_enclosed(viewer, entry_id, section)
    assert opened.parsed.subject == "The offer"
    assert opened.blocked_images == 1
    document = reading.enclosed_body(viewer, entry_id, section).document
    assert "See the <b>file</b>" in document
    assert "<script>" not in document
    assert "tracker" not in document
    offer = next(one for one in opened.attachments if one.filename == "Angebot März.pdf")
    facts, octets = reading.attachment(viewer, entry_id, (*section, offer.index))
    assert (facts.filename, octets) == ("Angebot März.pdf", b"%PDF-1.7 offer")
    # The message once; its file when it was opened, and when something of that was saved.
    assert len(world.events("message.opened")) == 1
    assert len(world.events("attachment.downloaded")) == 2


def test_each_opening_is_on_the_record_and_the_text_never_goes_without(world: World) -> None:
    [entry_id] = world.receive(around(mail(subject="Inner"), "Outer"))
    viewer, reading = world.viewer(), world.reading
    for count in (1, 2):
        reading.open_enclosed(viewer, entry_id, (0,))
        assert len(world.events("attachment.downloaded")) == count
    assert not world.entry(entry_id).seen  # the message itself was not opened
    reading.enclosed_body(viewer, entry_id, (0,))
    assert len(world.events("message.opened")) == 1


def test_mails_in_one_another_are_opened_down_to_a_depth(world: World) -> None:
    octets = mail(subject="1")
    for number in range(2, MOST_DEEP + 3):
        octets = around(octets, str(number))
    [entry_id] = world.receive(octets)
    viewer, reading = world.viewer(), world.reading
    deepest: Section = (0,) * (MOST_DEEP - 1)
    opened = reading.open_enclosed(viewer, entry_id, deepest)
    assert opened.parsed.subject == "3"
    [file] = opened.attachments
    facts, octets = reading.attachment(viewer, entry_id, (*deepest, file.index))
    assert facts.content_type == "message/rfc822"
    assert b"Subject: 2" in octets
    for look in (reading.open_enclosed, reading.enclosed_body):
        with pytest.raises(NotFound):
            look(viewer, entry_id, (*deepest, 0))
    with pytest.raises(NotFound):
        reading.attachment(viewer, entry_id, (*deepest, 0, 0))


def test_what_is_no_mail_or_not_there_or_another_persons_is_not_opened(world: World) -> None:
    [entry_id] = world.receive(around(ATTACHED, "Fwd"))
    viewer, reading = world.viewer(), world.reading
    [pdf] = [
        one.index
        for one in reading.open_enclosed(viewer, entry_id, (0,)).attachments
        if one.content_type == "application/pdf"
    ]
    before = len(world.events("attachment.downloaded"))
    for who, section in (
        (viewer, (0, pdf)),
        (viewer, (9,)),
        (viewer, (0, 9)),
        (world.viewer("maria"), (0,)),
        (world.viewer("audit"), (0,)),
    ):
        for look in (reading.open_enclosed, reading.enclosed_body):
            with pytest.raises(NotFound):
                look(who, entry_id, section)
    with pytest.raises(NotFound):
        reading.attachment(viewer, entry_id, (0, pdf, 0))
    with pytest.raises(NotFound):
        reading.attachment(world.viewer("maria"), entry_id, (0, pdf))
    tried = len(world.events("attachment.downloaded")) - before
    assert tried == 4  # the owner's own attempts; those of others are told nothing and note nothing


def test_a_picture_is_shown_by_pixels_of_ours_and_with_the_opening_of_its_message(
    any_world: World,
) -> None:
    world = any_world
    inner = EmailMessage(policy=SMTP)
    inner["From"], inner["To"] = "hanna@in.example", "vlad@acme.example"
    inner.set_content("The gate.\n")
    hidden = made_picture(400, 200) + b"what stands behind a picture"
    for kind, octets in (("png", hidden), ("png", b"no picture"), ("svg+xml", b"<svg/>")):
        inner.add_attachment(octets, maintype="image", subtype=kind, filename=f"gate.{kind}")
    [entry_id] = world.receive(around(inner.as_bytes(), "Fwd: the gate"))
    viewer, reading = world.viewer(), world.reading
    reading.open_message(viewer, entry_id)
    shown = reading.preview(viewer, entry_id, (0, 0), 100)
    assert shown is not None
    assert (shown.media_type, shown.width, shown.height) == ("image/png", 100, 50)
    assert b"behind" not in shown.octets
    assert reading.preview(viewer, entry_id, (0, 1), 100) is None
    for who, section in ((viewer, (0, 2)), (viewer, (0,)), (world.viewer("maria"), (0, 0))):
        with pytest.raises(NotFound):
            reading.preview(who, entry_id, section, 100)
    assert len(world.events("message.opened")) == 1
    assert world.events("attachment.downloaded") == []


def test_a_mail_that_only_its_name_tells_is_opened_and_who_poses_in_it_is_told(
    world: World,
) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "Lee <lee@kung.example>", "vlad@acme.example"
    message.set_content("See the mail.\n")
    inner = mail(subject="Inner", sender="Maria Weiß <maria@elsewhere.example>")
    kind = {"maintype": "application", "subtype": "octet-stream"}
    for name in ("inner.eml", "inner.bin"):
        message.add_attachment(inner, filename=name, **kind)  # type: ignore[arg-type]  # two words
    [one] = world.receive(message.as_bytes())
    viewer, reading = world.viewer(), world.reading
    opened = reading.open_enclosed(viewer, one, (0,))
    assert opened.parsed.subject == "Inner"
    assert opened.told is not None
    assert "Maria" in opened.told
    with pytest.raises(NotFound):
        reading.open_enclosed(viewer, one, (1,))
