"""The whole service with a real clamd: infected mail is marked and locked, and with clamd killed
mail comes in as ever and people are warned.
"""

import re
from contextlib import closing
from email.message import EmailMessage
from email.policy import SMTP

import httpx
import pytest

from tests.app.drawn import made_paper
from tests.parts.clamav import EICAR, Clamav
from tests.parts.network import wait_until
from tests.scenarios.service import Service, signed_in

VLAD = "vlad@acme.example"


def mail(subject: str, content: bytes) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = "hanna@in.example", VLAD, subject
    message.set_content("Please pay.\n")
    message.add_attachment(content, maintype="application", subtype="pdf", filename="bill.pdf")
    return message.as_bytes()


def path_of(client: httpx.Client, subject: str) -> str:
    """The page of a message, by its row in the list."""
    rows = client.get("/mail/inbox").text.split('<li class="row')
    [row] = [one for one in rows if subject in one]
    found = re.search(r'href="(/mail/inbox/[a-z2-7]{26})', row)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("made", ["sqlite"], indirect=True)
def test_infected_mail_is_locked_and_a_killed_clamd_holds_up_no_mail(
    made: Service, own_clamav: Clamav
) -> None:
    own_clamav.start()
    made.environment["LIVEARCHIVE_CLAMD"] = str(own_clamav.socket)
    made.start()
    made.send(mail("Infected", EICAR), VLAD)
    with closing(signed_in(made, VLAD)) as client:
        wait_until(lambda: "Virus found" in client.get("/mail/inbox").text, "the mark", 90)
        infected = path_of(client, "Infected")
        assert "Please pay." in client.get(f"{infected}/body").text
        for way in ("attachments/0", "original", "attachments/0?unchecked=yes"):
            assert client.get(f"{infected}/{way}").status_code == 403
        own_clamav.kill()
        paper = made_paper("Clause 1")
        made.send(mail("Later", paper), VLAD)
        wait_until(lambda: "Later" in client.get("/mail/inbox").text, "mail comes in", 90)
        later = path_of(client, "Later")
        assert client.get(f"{later}/attachments/0").status_code == 409
        assert client.get(f"{later}/attachments/0?unchecked=yes").content == paper
        # What is drawn anew needs no check.
        assert "Clause 1" in client.get(f"{later}/attachments/0/pages").text
        drawn = client.get(f"{later}/attachments/0/pages/1")
        assert drawn.headers["content-type"] == "image/png"
        assert client.get(f"{infected}/attachments/0?unchecked=yes").status_code == 403
