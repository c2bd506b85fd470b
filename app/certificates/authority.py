"""The client of an ACME directory, on the `acme` library of certbot.

Every failure is a `NotIssued` that says whose turn it is. What an authority writes is a stranger's
text: it is cut and cleaned before it goes into a log or onto a terminal.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, cast

import requests
from acme import challenges, messages
from acme.client import ClientNetwork, ClientV2
from acme.crypto_util import make_csr
from acme.errors import ConflictError, ValidationError
from acme.errors import TimeoutError as AcmeTimeout
from josepy.errors import DeserializationError
from josepy.jwa import ES256
from josepy.jwk import JWK, JWKEC

from app import __version__
from app.certificates.config import AcmeConfig
from app.certificates.kept import Kept
from app.certificates.port80 import Answers
from app.certificates.stand_in import new_key
from archive_store.clock import utc_now

REQUEST_SECONDS = 30
PATIENCE = timedelta(minutes=3)  # for an authority to look, and to sign
NONCE_ROUNDS = 3  # of two tries each: a nonce may be refused at any time (RFC 8555 section 6.5)
LONGEST_TEXT = 400
_ACCOUNT = {
    "accountDoesNotExist",
    "externalAccountRequired",
    "invalidContact",
    "unsupportedContact",
    "userActionRequired",
}
_CLOCK = ("not yet valid", "has expired")


class Trouble(StrEnum):
    """Why no certificate came, by whoever can do something about it."""

    PORT = "port"  # challenges cannot be answered here
    CLOCK = "clock"
    DISK = "disk"
    AWAY = "away"  # the directory cannot be reached
    CHALLENGE = "challenge"  # the authority could not see us under a name
    LIMIT = "limit"
    ACCOUNT = "account"
    REFUSED = "refused"  # anything else that the authority says no to


class NotIssued(Exception):
    """No certificate. `wait` is how long the authority wants to be left alone."""

    def __init__(self, trouble: Trouble, text: str, wait: timedelta | None = None) -> None:
        super().__init__(plain(text))
        self.trouble = trouble
        self.wait = wait


def plain(text: str) -> str:
    """A stranger's text in one printable line."""
    line = " ".join(text.split())
    return "".join(one if one.isprintable() else "?" for one in line)[:LONGEST_TEXT]


class _Network(ClientNetwork):
    """Tries again as often as nonces are refused, and remembers Retry-After."""

    def __init__(self, key: JWK, authorities: str) -> None:
        super().__init__(
            key,
            alg=ES256,
            verify_ssl=authorities or True,  # type: ignore[arg-type] # requests takes a path too
            user_agent=f"livearchive/{__version__}",
            timeout=REQUEST_SECONDS,
        )
        self.retry_after = ""
        self.session.hooks["response"].append(self._remember)

    def _remember(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self.retry_after = response.headers.get("Retry-After", "")

    def post(self, *args: Any, **kwargs: Any) -> requests.Response:
        """The same as its parent's, a few times over."""
        for _ in range(NONCE_ROUNDS - 1):
            try:
                return super().post(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        return super().post(*args, **kwargs)


class Authority:
    """One directory, with our account there."""

    def __init__(self, config: AcmeConfig, kept: Kept, answers: Answers) -> None:
        self._config = config
        self._kept = kept
        self._answers = answers
        self._account = kept.account(config.directory)
        try:
            self._key = cast(JWKEC, JWKEC.from_json(self._account["key"]))
        except (KeyError, DeserializationError):  # none yet, or a damaged one: a new account
            self._key, self._account = JWKEC(key=new_key()), {}
        self._network = _Network(self._key, str(config.authorities or ""))

    def obtain(self, key_pem: bytes) -> bytes:
        """A new certificate with its chain (PEM) for a key. Raises NotIssued, OSError."""
        try:
            client = self._client()
            self._log_in(client)
            order = client.new_order(make_csr(key_pem, list(self._config.names)))
            self._answer(client, order)
            # The library compares with the system's clock as it stands on the wall.
            deadline = datetime.now() + PATIENCE  # noqa: DTZ005 - the library wants it without zone
            return str(client.poll_and_finalize(order, deadline).fullchain_pem).encode()
        except NotIssued:
            raise
        except Exception as error:  # an authority's answer can break the library anywhere
            raise self._explained(error) from error
        finally:
            self._answers.by_token.clear()

    def suggestion(self, chain_pem: bytes) -> tuple[datetime | None, datetime]:
        """When the authority wants a certificate replaced (ARI), and when to ask again.

        Raises NotIssued.
        """
        try:
            when, again = self._client().renewal_time(chain_pem)
        except Exception as error:  # likewise
            raise self._explained(error) from error
        return when, again.astimezone(UTC)

    def _client(self) -> ClientV2:
        directory = ClientV2.get_directory(self._config.directory, self._network)
        return ClientV2(directory, self._network)

    def _log_in(self, client: ClientV2) -> None:
        """Use our account; open it where there is none yet, under the key that we keep."""
        contact = f"mailto:{self._config.contact}" if self._config.contact else ""
        uri = str(self._account.get("uri", ""))
        if uri and self._account.get("contact") == contact:
            body = messages.Registration()
            self._network.account = messages.RegistrationResource(body=body, uri=uri)
            return
        if not uri:
            # Before the directory hears of it: a crash in between would open a second account.
            self._remember(contact, "")
        contacts = (contact,) if contact else ()
        wanted: dict[str, Any] = {"contact": contacts, "terms_of_service_agreed": True}
        if self._config.eab_kid:
            wanted["external_account_binding"] = messages.ExternalAccountBinding.from_data(
                self._key.public_key(), self._config.eab_kid, self._config.eab_key, client.directory
            )
        try:
            uri = client.new_account(messages.NewRegistration(**wanted)).uri
        except ConflictError as error:  # it is there already (RFC 8555 section 7.3.1)
            uri = error.location
            known = messages.RegistrationResource(body=messages.Registration(), uri=uri)
            self._network.account = known
            client.update_registration(known, messages.Registration(contact=contacts))
        self._remember(contact, uri)

    def _remember(self, contact: str, uri: str) -> None:
        key = json.loads(self._key.json_dumps())
        place = self._config.directory
        self._account = {"directory": place, "uri": uri, "contact": contact, "key": key}
        self._kept.remember_account(self._account)

    def _answer(self, client: ClientV2, order: messages.OrderResource) -> None:
        for one in order.authorizations:
            if one.body.status == messages.STATUS_VALID:
                continue
            name = one.body.identifier.value
            found = [c for c in one.body.challenges if isinstance(c.chall, challenges.HTTP01)]
            if not found:
                raise NotIssued(Trouble.REFUSED, f"the authority offers no http-01 for {name}")
            response, validation = found[0].response_and_validation(self._key)
            self._answers.by_token[found[0].chall.encode("token")] = validation
            client.answer_challenge(found[0], response)

    def _explained(self, error: Exception) -> Exception:
        """What an error of the library means for whoever reads it."""
        if isinstance(error, ValidationError):
            return NotIssued(Trouble.CHALLENGE, _unseen(error))
        if isinstance(error, messages.Error):
            return self._problem(error)
        if isinstance(error, requests.RequestException):
            return _unreached(self._config.directory, error)
        if isinstance(error, AcmeTimeout):
            return NotIssued(Trouble.AWAY, "the authority did not come to an end in time")
        if isinstance(error, OSError):  # of our own files; those of requests are above
            return error
        said = f"{self._config.directory} answers what is not ACME ({type(error).__name__})"
        return NotIssued(Trouble.AWAY, f"{said}: ACME_DIRECTORY", self._wait())

    def _problem(self, error: messages.Error) -> NotIssued:
        code = error.code or ""
        text = f"the authority says {code or error.typ}: {error.detail or error.title or ''}"
        if code == "rateLimited":
            return NotIssued(Trouble.LIMIT, text, self._wait())
        if code in _ACCOUNT or (code == "unauthorized" and not self._account.get("uri")):
            if code == "accountDoesNotExist" and self._account.get("uri"):
                # It forgot us: the next attempt opens the account anew, with the same key.
                self._remember("", "")
            fix = "ACME_CONTACT, ACME_EAB_KID, ACME_EAB_KEY"
            return NotIssued(Trouble.ACCOUNT, f"{text} ({fix})", self._wait())
        return NotIssued(Trouble.REFUSED, text, self._wait())

    def _wait(self) -> timedelta | None:
        """What Retry-After says (RFC 9110 section 10.2.3)."""
        text = self._network.retry_after.strip()
        if text.isascii() and text.isdigit():
            return timedelta(seconds=min(int(text), 10**9))
        try:
            until = parsedate_to_datetime(text)
            return max(until.astimezone(UTC) - utc_now(), timedelta())
        except (ValueError, OverflowError):
            return None


def _unseen(error: ValidationError) -> str:
    said = []
    for one in error.failed_authzrs:
        why = next((c.error for c in one.body.challenges if c.error is not None), None)
        detail = f"{why.code or why.typ}: {why.detail}" if why else "no reason given"
        said.append(f"{one.body.identifier.value}: {detail}")
    fix = "the DNS of each name must lead here, and port 80 to ACME_HTTP"
    return f"the authority could not see us; {fix}; it says of {'; '.join(said)}"


def _unreached(directory: str, error: requests.RequestException) -> NotIssued:
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        if any(word in text for word in _CLOCK):
            fix = "set this machine's clock (NTP), if it is wrong"
            return NotIssued(Trouble.CLOCK, f"{directory}: no valid certificate by our time: {fix}")
        return NotIssued(Trouble.AWAY, f"{directory}: its certificate is not trusted here")
    if isinstance(error, requests.Timeout):
        return NotIssued(Trouble.AWAY, f"{directory} does not answer in time")
    fix = "see to DNS and to the way out on its port"
    return NotIssued(Trouble.AWAY, f"{directory} cannot be reached: {fix}")
