"""What the operator may say of ACME, and what is refused with the setting's name."""

import pytest

from app.config import Config
from archive_store.errors import ConfigError

GIVEN = {"ACME_NAMES": "Mail.acme.example., smtp.acme.example", "ACME_AGREE_TERMS": "yes"}


def config(**given: str) -> Config:
    return Config.load({f"LIVEARCHIVE_{name}": text for name, text in given.items()})


def test_names_make_the_address_of_the_pages() -> None:
    made = config(**GIVEN, HTTPS="0.0.0.0:443")
    assert made.acme is not None
    assert made.acme.names == ("mail.acme.example", "smtp.acme.example")
    assert made.public_url == made.acme.redirect == "https://mail.acme.example"
    assert config(**GIVEN, HTTPS="[::]:8443").public_url == "https://mail.acme.example:8443"
    for_mail_alone = config(**GIVEN).acme
    assert for_mail_alone is not None
    assert for_mail_alone.redirect == ""
    assert config().acme is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"ACME_NAMES": "a.example"}, "ACME_AGREE_TERMS: expected yes"),
        ({**GIVEN, "TLS_CERTIFICATE": "/a", "TLS_KEY": "/b"}, "ACME_NAMES: expected no TLS_CERT"),
        ({**GIVEN, "ACME_HTTP": "none"}, "ACME_HTTP: expected HOST:PORT"),
        ({**GIVEN, "ACME_EAB_KID": "1"}, "ACME_EAB_KID, ACME_EAB_KEY: expected both or none"),
        ({"ACME_NAMES": "localhost"}, "ACME_NAMES: expected host names"),
        ({"ACME_NAMES": "192.0.2.1"}, "ACME_NAMES: expected host names"),
        ({"ACME_NAMES": "*.acme.example"}, "ACME_NAMES: expected host names"),
        ({"ACME_DIRECTORY": "http://ca.example/"}, "ACME_DIRECTORY: expected https"),
        ({"ACME_CONTACT": "nobody"}, "ACME_CONTACT: expected a mail address"),
    ],
)
def test_what_does_not_go_is_named(given: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        _ = config(**given).acme
