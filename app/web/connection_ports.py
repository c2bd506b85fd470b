"""What the pages need of a domain's ways to the outside: DNS, webhook, and people's addresses."""

from typing import Protocol

from app.admin_views import DnsPage, WebhookPage
from app.login_views import OutsideView
from app.secret import Secret
from app.viewer import Viewer


class OutsideService(Protocol):
    """A person's own address outside, for word of an outage."""

    def outside(self, viewer: Viewer) -> OutsideView: ...
    def set_outside(self, viewer: Viewer, text: str) -> None:
        """Raises `BadEntry` for "outside"."""

    def confirm_outside(self, viewer: Viewer, code: Secret) -> None:
        """Raises `BadEntry` for "outside_code"."""

    def remove_outside(self, viewer: Viewer) -> None: ...


class DnsService(Protocol):
    """The records of a domain in the DNS."""

    def page(self, viewer: Viewer, domain_id: str, *, check: bool) -> DnsPage:
        """Raises `StoreBusy`."""


class WebhookService(Protocol):
    """Where a domain's outages are told to a program."""

    def page(self, viewer: Viewer, domain_id: str) -> WebhookPage: ...
    def set(self, viewer: Viewer, domain_id: str, url: str) -> Secret:
        """The new secret. Raises `BadEntry` for "url"."""

    def test(self, viewer: Viewer, domain_id: str) -> None:
        """Raises `BadEntry` for "url"."""

    def remove(self, viewer: Viewer, domain_id: str) -> None:
        """Raises `BadEntry` for "url"."""
