"""An invitation comes by SMTP, is accepted in the browser, and its organiser's server is told."""

import re
from contextlib import closing
from email import message_from_bytes
from email.policy import default

import pytest
from icalendar import Calendar

from tests.corpus.invitations import OUTLOOK, mail
from tests.parts.network import wait_until
from tests.scenarios.service import Primary, Service, signed_in

VLAD = "vlad@acme.example"
ORGANISER = "maria@acme.example"  # whose mail server is the primary


@pytest.mark.parametrize("made", ["sqlite"], indirect=True)
def test_the_organisers_server_gets_the_answer(made: Service, primary: Primary) -> None:
    made.environment["LIVEARCHIVE_UNDO_SECONDS"] = "1"
    made.start()
    calendar = OUTLOOK.replace("hanna@in.example", ORGANISER)
    made.send(mail(calendar, sender=ORGANISER), VLAD, sender=ORGANISER)
    wait_until(lambda: len(made.messages(VLAD, "inbox")) == 1, "the invitation is listed", 60)
    with closing(signed_in(made, VLAD)) as client:
        path = re.search(r'href="(/mail/inbox/[a-z2-7]{26})', client.get("/mail/inbox").text)
        assert path is not None
        page = client.get(path[1]).text
        assert "Planung, erstes Quartal" in page
        token = re.search(r'name="csrf"[^>]* value="([^"]*)"', page)
        assert token is not None
        form = {"csrf": token[1], "answer": "accepted"}
        assert client.post(f"{path[1]}/invitation", data=form).status_code == 303
        wait_until(lambda: "You accepted." in client.get(path[1]).text, "it is answered", 60)
    [octets] = primary.wait_for(ORGANISER)
    message = message_from_bytes(octets, policy=default)
    [part] = [one for one in message.walk() if one.get_content_type() == "text/calendar"]
    assert part.get_param("method") == "REPLY"
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    [event] = Calendar.from_ical(content).walk("VEVENT")
    assert event["UID"] == Calendar.from_ical(calendar).walk("VEVENT")[0]["UID"]
    assert event["ATTENDEE"] == f"mailto:{VLAD}"
    assert event["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"
