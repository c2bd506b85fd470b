"""Rich text on a whole installation: pictures, drafts, and what stands in the mail that goes."""

from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

import pytest

from app.sending.outbound import TOO_LONG
from app.sending.outbox import Outbox, OutboxParts
from app.sending.rich import read_rich
from app.views import BadDraft, RichText
from tests.app.conftest import World
from tests.app.sending.outbox import letter, read
from tests.corpus.ordinary import PNG

PICTURE = "picture-0123456789abcdef.png"
SHOWING = (
    b"From: Hanna Berg <hanna@in.example>\r\nTo: vlad@acme.example\r\nSubject: The view\r\n"
    b"Message-ID: <view@in.example>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/related; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>See <b>this</b></p>"
    b'<img src="cid:view@in.example"><img src="https://t.example/p">\r\n'
    b"--b\r\nContent-Type: image/png\r\nContent-ID: <view@in.example>\r\n"
    b'Content-Disposition: inline; filename="view.png"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n"
)


def formatted(html: str) -> RichText:
    rich = read_rich(html)
    assert rich is not None
    return rich


def parts(octets: bytes) -> list[EmailMessage]:
    return list(read(octets).walk())


def types(octets: bytes) -> list[str]:
    return [part.get_content_type() for part in parts(octets)]


def test_the_answer_shows_the_pictures_of_the_mail_it_quotes(any_world: World) -> None:
    world = any_world
    [entry_id] = world.receive(SHOWING)
    viewer = world.viewer()
    draft = world.sending.draft_for(viewer, "reply", entry_id)
    [(name, octets)] = draft.pictures.items()
    assert draft.rich is not None
    assert f'<img src="cid:{name}">' in draft.rich.html
    assert "t.example" not in draft.rich.html
    form = letter(
        world, viewer, text="x", rich=draft.rich, source_entry=entry_id, source_kind="reply"
    )
    sent = [world.sending.send(viewer, form).entry_id]
    # Once taken back it has the picture as a file of its own, and still shows it.
    waits = world.sends(timedelta(seconds=10)).send(viewer, form).entry_id
    rows = world.reading.to_be_sent
    assert Outbox(OutboxParts(db=world.db, segments=world.segments, rows=rows)).take_back(
        viewer, waits
    )
    again = world.drafts.open(viewer, waits)
    assert [file[0] for file in again.attachments] == [name]
    stay = replace(again, attachments=(), draft=waits, draft_files=(0,))
    sent.append(world.sending.send(viewer, stay).entry_id)
    for one in sent:
        original = world.reading.original(viewer, one)
        assert types(original) == [
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png",
        ]
        *_, related, html, picture = parts(original)
        assert related.get_param("type") == "text/html"
        assert picture.get_content() == octets
        shown = picture["Content-ID"].strip("<>")
        assert f'src="cid:{shown}"' in html.get_content()
        assert shown.startswith(name)


def test_a_draft_keeps_its_forms_and_its_pictures(any_world: World) -> None:
    world, viewer = any_world, any_world.viewer()
    rich = formatted(f'<p>Grüße, <b>ß</b></p><img src="cid:{PICTURE}">')
    for files in ((), ((PICTURE, "image/png", PNG), ("a.txt", "text/plain", b"--b\r\n"))):
        written = letter(world, viewer, text="Grüße, ß", rich=rich, attachments=files)
        saved = world.drafts.save(viewer, written, None)
        again = world.drafts.open(viewer, saved.id)
        assert (again.text, again.rich, again.attachments) == ("Grüße, ß", rich, files)
        assert [file.inline for file in saved.files] == ([True, False] if files else [])
    world.index()
    row = world.reading.list_folder(viewer, "drafts", page=1, filter="all").rows[0]
    assert "Grüße" in row.preview


def test_a_picture_that_the_text_shows_no_more_stays_behind(world: World) -> None:
    viewer = world.viewer()
    files = ((PICTURE, "image/png", PNG), ("a.txt", "text/plain", b"a"))
    for html, expected in (
        (f'<p>a</p><img src="cid:{PICTURE}">', {"image/png", "text/html"}),
        ("<p>a</p>", {"text/html"}),
        ("", {"image/png"}),  # plain text: it is a file like any other
    ):
        rich = formatted(html) if html else None
        form = letter(world, viewer, rich=rich, attachments=files)
        sent = world.reading.original(viewer, world.sending.send(viewer, form).entry_id)
        assert set(types(sent)) & {"image/png", "text/html"} == expected
        assert "a.txt" in [part.get_filename() for part in parts(sent)]


def test_rich_text_whose_end_is_missing_is_not_sent(world: World) -> None:
    viewer = world.viewer()
    form = letter(world, viewer, rich=RichText("<p>a</p>", whole=False))
    with pytest.raises(BadDraft) as error:
        world.sending.send(viewer, form)
    assert (error.value.field, error.value.message) == ("message", TOO_LONG)


def test_a_forward_does_not_send_a_shown_picture_twice(world: World) -> None:
    [entry_id] = world.receive(SHOWING)
    viewer = world.viewer()
    draft = world.sending.draft_for(viewer, "forward", entry_id)
    keep = tuple(file.index for file in draft.attachments)
    form = letter(
        world,
        viewer,
        rich=draft.rich,
        source_entry=entry_id,
        source_kind="forward",
        keep_attachments=keep,
    )
    sent = world.reading.original(viewer, world.sending.send(viewer, form).entry_id)
    assert types(sent).count("image/png") == 1


def test_a_mail_is_forwarded_whole_as_a_file(any_world: World) -> None:
    world = any_world
    [entry_id] = world.receive(SHOWING)
    viewer = world.viewer()
    draft = world.sending.draft_for(viewer, "enclose", entry_id)
    assert (draft.subject, draft.text, draft.enclosed) == ("Fwd: The view", "", len(SHOWING))
    form = letter(world, viewer, source_entry=entry_id, source_kind="enclose", subject="Fwd: x")
    sent = read(world.reading.original(viewer, world.sending.send(viewer, form).entry_id))
    assert "In-Reply-To" not in sent
    _, file = sent.iter_parts()
    assert (file.get_content_type(), file.get_filename()) == ("message/rfc822", "The view.eml")
    assert file.get_content()["Message-ID"] == "<view@in.example>"
    assert SHOWING in world.reading.original(viewer, world.sending.send(viewer, form).entry_id)
    assert world.entry(entry_id).forwarded


@pytest.mark.parametrize("octets", [b"S: x\r\n\r\n\xe4\r\n", b"S: x\n\nbare", b"a" * 999])
def test_a_mail_that_not_every_server_takes_as_a_part_goes_as_an_encoded_file(
    world: World, octets: bytes
) -> None:
    viewer = world.viewer()
    files = (("a.eml", "message/rfc822", octets),)
    form = letter(world, viewer, attachments=files)
    sent = read(world.reading.original(viewer, world.sending.send(viewer, form).entry_id))
    _, file = sent.iter_parts()
    assert (file.get_content_type(), file["Content-Transfer-Encoding"]) == (
        "application/octet-stream",
        "base64",
    )
    assert file.get_content() == octets
