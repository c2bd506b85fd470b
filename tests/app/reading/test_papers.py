"""The pages of a PDF among the files of a message, on the real parts."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest

from archive_store.errors import NotFound
from tests.app.conftest import World
from tests.app.drawn import made_paper


def test_pages_are_shown_to_the_owner_and_the_opening_is_on_the_record(world: World) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "Hanna <hanna@in.example>", "vlad@acme.example"
    message.set_content("See the file.\n")
    for name, octets in (("offer.pdf", made_paper("Clause 1", "Clause 2")), ("a.txt", b"text")):
        message.add_attachment(
            octets, maintype="application", subtype="octet-stream", filename=name
        )
    [one] = world.receive(message.as_bytes())
    viewer, reading = world.viewer(), world.reading
    paper = reading.open_paper(viewer, one, (0,), 1)
    assert (paper.filename, paper.count, paper.last) == ("offer.pdf", 2, 2)
    assert [sheet.text for sheet in paper.sheets] == ["Clause 1", "Clause 2"]
    assert len(world.events("attachment.downloaded")) == 1
    picture = reading.sheet(viewer, one, (0,), 2, 300)
    assert picture is not None
    assert (picture.media_type, picture.height) == ("image/png", 300)
    assert reading.sheet(viewer, one, (0,), 3, 300) is None
    assert len(world.events("message.opened")) == 1
    for who, section in ((viewer, (1,)), (viewer, (2,)), (world.viewer("maria"), (0,))):
        with pytest.raises(NotFound):
            reading.open_paper(who, one, section, 1)
        with pytest.raises(NotFound):
            reading.sheet(who, one, section, 1, 300)
