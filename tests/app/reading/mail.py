"""Mail for the tests of reading."""

from email.message import EmailMessage
from email.policy import SMTP


def mail(
    *,
    subject: str = "Lunch",
    sender: str = "Hanna Berg <hanna@in.example>",
    to: str = "vlad@acme.example",
    text: str = "Shall we meet at noon?\n",
    **headers: str,
) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = "<lunch@in.example>"
    message["Date"] = "Tue, 24 Nov 2026 08:51:00 +0000"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def _attached() -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = "Hanna Berg <hanna@in.example>"
    message["To"] = "sales@acme.example, Vlad <vlad@acme.example>, Lee <lee@kung.example>"
    message["Cc"] = "boss@in.example"
    message["Subject"] = "The offer"
    message["Message-ID"] = "<offer@in.example>"
    message["References"] = "<first@in.example> <second@in.example>"
    message.set_content("See the file.\nRegards\n-- \nHanna\n")
    html = (
        '<p>See the <b>file</b>.</p><img src="https://tracker.example/x.gif">'
        '<img src="cid:logo"><script>alert(1)</script>'
    )
    message.add_alternative(html, subtype="html")
    part = message.get_payload()[1]  # type: ignore[index]  # the HTML just added
    part.add_related(PNG, maintype="image", subtype="png", cid="<logo>")  # type: ignore[union-attr]  # a message
    message.add_attachment(
        b"%PDF-1.7 offer", maintype="application", subtype="pdf", filename="Angebot März.pdf"
    )
    return message.as_bytes()


PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
PLAIN = mail()
ATTACHED = _attached()
