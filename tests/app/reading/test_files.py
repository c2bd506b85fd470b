"""Which attachments are listed beside a body."""

from app.reading.files import listed, referred
from archive_store.mime.values import Attachment

LOGO = Attachment(0, "logo.png", "image/png", 70, content_id="logo@x", inline=True)
OFFER = Attachment(1, "offer.pdf", "application/pdf", 9)
FOR_CALENDARS = Attachment(2, "attachment-3.ics", "text/calendar", 400, method="REQUEST")
INVITE = Attachment(3, "invite.ics", "application/ics", 402)
NAMED = Attachment(4, "flight.ics", "text/calendar", 300, method="PUBLISH")


def test_a_picture_in_the_body_is_not_listed_again() -> None:
    assert listed((LOGO, OFFER), frozenset({"logo@x"})) == (OFFER,)


def test_a_picture_that_the_body_does_not_show_is_listed() -> None:
    assert listed((LOGO, OFFER), frozenset()) == (LOGO, OFFER)


def test_an_invitation_is_listed_once_as_its_file() -> None:
    assert listed((FOR_CALENDARS, INVITE), frozenset()) == (INVITE,)
    assert listed((FOR_CALENDARS, OFFER), frozenset()) == (FOR_CALENDARS, OFFER)
    assert listed((NAMED, INVITE), frozenset()) == (NAMED, INVITE)


def test_pictures_are_those_that_stand_in_the_body() -> None:
    html = (
        '<img alt="a" src="cid:logo@x"><IMG SRC=cid:two%40x><td background="cid:three@x">'
        "<p style='background: url(cid:four@x)'>cid:five@x</p><img src='https://x.example/6'>"
    )
    assert referred(html) == {"logo@x", "two@x"}
