"""How the service is, as a test says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.viewer import Viewer
from app.views import Banner
from app.web.deps import Metric

OUTAGE = Banner(state="down", since=datetime.fromisoformat("2026-11-24T08:42:00+00:00"))


@dataclass
class HealthDouble:
    """`shown` is the banner of every page."""

    shown: Banner | None = None
    parts: dict[str, bool] = field(default_factory=lambda: {"database": True, "keys": True})

    def banner(self, viewer: Viewer) -> Banner | None:
        return self.shown

    def ready(self) -> Mapping[str, bool]:
        return self.parts

    def metrics(self) -> Sequence[Metric]:
        return (
            Metric(
                name="livearchive_queue_items",
                help="Messages that still have to reach their server.",
                kind="gauge",
                samples=(({"state": "queued"}, 212.0), ({"state": "held"}, 0.0)),
            ),
        )
