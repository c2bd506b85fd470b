"""A winmail.dat: people see, find and get the files that are in it, and not the thing itself."""

from datetime import UTC

from tests.app.conftest import World
from tests.archive_store.mime.test_winmail import FILES, mail
from tests.corpus.winmail import tnef


def test_the_files_in_a_winmail_are_listed_found_and_given(world: World) -> None:
    [one] = world.receive(mail(tnef(*FILES), "See the files.\n"))
    world.index()
    viewer, reading = world.viewer(), world.reading
    names = [file.filename for file in reading.open_message(viewer, one).attachments]
    assert names == ["last.bin", "Angebot März.pdf", "logo.png"]
    facts, octets = reading.attachment(viewer, one, (1,))
    assert (facts.filename, octets) == ("Angebot März.pdf", b"%PDF-1.7 offer")
    assert len(list(reading.attachments(viewer, one))) == 3
    found = reading.search(viewer, "filename:angebot", 1, UTC).page.rows
    assert [row.id for row in found] == [one]
