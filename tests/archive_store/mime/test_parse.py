"""What a message becomes: ordinary ones whole, broken ones as far as they go."""

import email
import email.policy
from datetime import UTC, datetime

import pytest

from archive_store.mime.limits import Limits
from archive_store.mime.parse import (
    attachment_octets,
    inline_images,
    parse_message,
    read_message,
)
from archive_store.mime.values import Address, Problem
from tests.corpus import hostile, ordinary


def test_header_fields_are_decoded() -> None:
    message = read_message(ordinary.PLAIN)
    assert message.subject == "Rechnung für November"
    assert message.sender == Address("Jürgen Müller", "juergen@example.org")
    assert message.to == (
        Address("Vlad Petrov", "vlad@acme.example"),
        Address("", "sales@acme.example"),
    )
    assert message.date == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert message.message_id == "<one@example.org>"
    assert ("MIME-Version", "1.0") in message.headers
    assert message.problems == ()


def test_a_plain_text_is_shown_as_text_and_has_no_html() -> None:
    message = read_message(ordinary.PLAIN)
    assert message.text is not None
    assert message.text.startswith("Guten Tag,\n\ndie Rechnung für November")
    assert message.html is None


def test_of_alternatives_both_versions_are_kept_and_neither_is_an_attachment() -> None:
    message = read_message(ordinary.ALTERNATIVE)
    assert message.text == "The plain version."
    assert message.html == "<p>The <b>rich</b> version.</p>"
    assert message.attachments == ()


def test_a_picture_in_the_text_is_an_inline_attachment_and_the_file_is_not() -> None:
    picture, file = read_message(ordinary.NESTED).attachments
    assert (picture.filename, picture.inline, picture.content_id) == (
        "pic.png",
        True,
        "pic@example.org",
    )
    assert (file.filename, file.inline, file.content_type) == (
        "Rechnung €.pdf",
        False,
        "application/pdf",
    )


def test_attachments_are_found_again_by_their_index() -> None:
    for attachment in read_message(ordinary.NESTED).attachments:
        found, content = attachment_octets(ordinary.NESTED, attachment.index)
        assert found == attachment
        assert len(content) == attachment.size
    assert attachment_octets(ordinary.NESTED, 0)[1] == ordinary.PNG
    assert attachment_octets(ordinary.NESTED, 1)[1] == b"%PDF-1.4\n"


@pytest.mark.parametrize("index", [-1, 2, 10**6])
def test_an_index_that_names_no_attachment_is_an_index_error(index: int) -> None:
    with pytest.raises(IndexError):
        attachment_octets(ordinary.NESTED, index)


def test_the_pictures_of_a_text_come_by_their_content_id() -> None:
    assert inline_images(ordinary.NESTED) == {"pic@example.org": ordinary.PNG}
    assert inline_images(ordinary.PLAIN) == {}


def test_an_invitation_is_an_attachment_with_its_method() -> None:
    message = read_message(ordinary.INVITE)
    (invite,) = message.attachments
    assert message.text == "You are invited."
    assert (invite.content_type, invite.method, invite.filename) == (
        "text/calendar",
        "REQUEST",
        "attachment-1.ics",
    )


def test_a_forwarded_message_is_one_attachment_and_is_not_looked_into() -> None:
    message = read_message(ordinary.FORWARD)
    assert message.text == "See below."
    assert [one.content_type for one in message.attachments] == ["message/rfc822"]
    assert attachment_octets(ordinary.FORWARD, 0)[1].startswith(b"Subject: inner\r\n")


def test_the_footer_of_a_list_is_shown_below_both_versions() -> None:
    message = read_message(ordinary.MAILING_LIST)
    assert message.text == "Said plainly.\n\n_______\ntalk mailing list"
    assert message.html is not None
    assert message.html.startswith("<p>Said richly.</p>")
    assert "talk mailing list" in message.html
    assert message.list_id == "talk.lists.example"


def test_japanese_in_seven_bits_is_read() -> None:
    message = read_message(ordinary.JAPANESE)
    assert message.sender == Address("山田", "yamada@example.jp")
    assert message.subject == "会議のお知らせ"
    assert message.text is not None
    assert "明日の会議は" in message.text


@pytest.mark.parametrize("name", hostile.MESSAGES)
@pytest.mark.timeout(30)
def test_a_hostile_message_is_read_without_an_exception(name: str) -> None:
    octets = hostile.MESSAGES[name]
    message = read_message(octets)
    assert not message.unreadable
    for attachment in message.attachments[:20]:
        attachment_octets(octets, attachment.index)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("deep multipart", Problem.TOO_DEEP),
        ("too many parts", Problem.TOO_MANY_PARTS),
        ("too many headers", Problem.TOO_MANY_HEADERS),
        ("one endless header", Problem.TOO_MANY_HEADERS),
        ("many addresses", Problem.TOO_MANY_ADDRESSES),
        ("boundary never used", Problem.NO_BOUNDARY),
        ("empty boundary", Problem.NO_BOUNDARY),
        ("no headers", Problem.NO_HEADERS),
        ("two senders", Problem.SEVERAL_SENDERS),
    ],
)
def test_what_could_not_be_had_is_said(name: str, problem: Problem) -> None:
    assert problem.value in read_message(hostile.MESSAGES[name]).problems


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no headers", "just some words\n\nand more"),
        ("mbox", "body"),
        ("bare carriage returns", "body"),
        ("unknown charset", "café"),
        ("broken base64", "helloworld"),
        ("uuencode", "abc"),
        ("missing boundary", "text"),
        ("unclosed multipart", "the text"),
        ("boundary never used", "the text"),
        ("boundary prefix", "in"),
        ("NUL everywhere", "body"),
    ],
)
def test_a_broken_message_still_shows_its_text(name: str, text: str) -> None:
    shown = read_message(hostile.MESSAGES[name]).text
    assert shown is not None
    assert shown.strip() == text


def test_utf_7_is_not_decoded_since_it_hides_markup() -> None:
    assert read_message(hostile.MESSAGES["utf-7"]).html == "+ADw-script+AD4-alert(1)"


def test_raw_octets_in_headers_are_utf_8_or_else_windows_1252() -> None:
    assert read_message(hostile.MESSAGES["raw UTF-8 header"]).subject == "Grüße"
    assert read_message(hostile.MESSAGES["raw latin header"]).subject == "Grüße"


def test_no_decoded_value_has_a_line_end_in_it() -> None:
    message = read_message(hostile.MESSAGES["header injection"])
    assert message.subject == "a Bcc: x@y.example"


def test_a_date_that_is_none_is_none() -> None:
    assert read_message(hostile.MESSAGES["odd date"]).date is None


def test_text_and_html_stop_at_their_limits() -> None:
    limits = Limits(text_octets=100, html_octets=50)
    long = read_message(b"Subject: x\r\n\r\n" + b"a" * 1_000, limits)
    assert long.text == "a" * 100
    assert Problem.TEXT_CUT.value in long.problems
    rich = read_message(b"Content-Type: text/html\r\n\r\n" + b"b" * 1_000, limits)
    assert rich.html == "b" * 50
    assert Problem.HTML_CUT.value in rich.problems


def test_below_the_depth_limit_a_part_is_one_opaque_attachment() -> None:
    message = read_message(hostile.nested_multiparts(8), Limits(depth=3))
    (opaque,) = message.attachments
    assert opaque.content_type == "application/octet-stream"
    assert (
        b"at the bottom" in attachment_octets(hostile.nested_multiparts(8), 0, Limits(depth=3))[1]
    )


def test_within_the_depth_limit_the_innermost_text_is_found() -> None:
    assert read_message(hostile.nested_multiparts(29)).text == "at the bottom"


def test_automatic_mail_is_known_as_such() -> None:
    assert parse_message(b"Auto-Submitted: auto-replied (vacation)\r\n\r\n").auto_submitted
    assert not parse_message(b"Auto-Submitted: no\r\n\r\n").auto_submitted
    assert not parse_message(b"\r\n").auto_submitted


@pytest.mark.parametrize("name", ordinary.MESSAGES)
def test_the_structure_is_what_the_standard_library_finds(name: str) -> None:
    octets = ordinary.MESSAGES[name]
    message = read_message(octets)
    parts = email.message_from_bytes(octets, policy=email.policy.compat32)
    theirs = [
        part.get_payload(decode=True)
        for part in parts.walk()
        if part.get_content_maintype() not in ("multipart", "text", "message")
    ]
    ours = [
        attachment_octets(octets, one.index)[1]
        for one in message.attachments
        if not one.content_type.startswith(("text/", "message/"))
    ]
    assert ours == theirs
    assert [name for name, _ in message.headers] == parts.keys()
