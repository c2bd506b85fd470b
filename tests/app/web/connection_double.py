"""DNS records and a webhook in memory."""

from dataclasses import dataclass, field, replace

from app.admin_views import DnsLine, DnsPage, WebhookLine, WebhookPage
from app.phrase import phrase
from app.secret import Secret
from app.viewer import Viewer
from app.views import BadEntry
from tests.app.web.admin_double import AdminDouble
from tests.app.web.sample import NOW

SECRET = "whsec_c2hvd24tb25jZQ=="
RECORDS = tuple(
    DnsLine(kind=kind, host="acme.example", result=result, found=found, wanted=f"{kind}-record")
    for kind, result, found in (
        ("MX", "right", ("live.acme.example",)),
        ("SPF", "unclear", ("v=spf1 include:<b>.example",)),
        ("DKIM", "different", ("v=DKIM1; p=",)),
        ("DMARC", "missing", ()),
        ("DKIM", "silent", ()),
    )
)
SENT = WebhookLine(at=NOW, kind="outage.opened", state="taken", attempts=1, error="", next_at=None)


@dataclass
class DnsDouble:
    """Every kind of finding. `checks`: how often it asked."""

    admin: AdminDouble
    checks: int = 0

    def page(self, viewer: Viewer, domain_id: str, *, check: bool) -> DnsPage:
        domain = self.admin.domain(viewer, domain_id)
        self.checks += check
        lines = RECORDS if check else tuple(replace(one, found=()) for one in RECORDS)
        return DnsPage(domain=domain, asked=check, lines=lines)


@dataclass
class WebhookDouble:
    """One that has sent something."""

    admin: AdminDouble
    host: str = "hooks.acme.example"
    lines: list[WebhookLine] = field(
        default_factory=lambda: [
            replace(SENT, state="waiting", attempts=0, next_at=NOW),
            replace(SENT, state="waiting", attempts=2, error="it answers 500", next_at=NOW),
            replace(SENT, state="failed", attempts=9, error="no connection"),
            SENT,
        ]
    )

    def page(self, viewer: Viewer, domain_id: str) -> WebhookPage:
        domain = self.admin.domain(viewer, domain_id)
        return WebhookPage(domain=domain, host=self.host, set_at=NOW, lines=tuple(self.lines))

    def set(self, viewer: Viewer, domain_id: str, url: str) -> Secret:
        self.admin.domain(viewer, domain_id)
        if not url.startswith("https://"):
            raise BadEntry("url", phrase("expected an address that begins with https://"))
        return Secret(SECRET)

    def test(self, viewer: Viewer, domain_id: str) -> None:
        self.lines.insert(0, replace(SENT, kind="webhook.test"))

    def remove(self, viewer: Viewer, domain_id: str) -> None:
        self.host = ""
