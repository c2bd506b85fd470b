"""For machines: is the process there, can it serve, and its numbers (Prometheus text 0.0.4).

`/healthz` and `/readyz` may be asked by anyone and say nothing of anyone;
`/metrics` answers only to a peer on this machine that no proxy speaks for.
"""

from collections.abc import Iterable, Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from app.web.access import Anyone, Local
from app.web.deps import Metric, services_of

router = APIRouter()
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@router.api_route("/healthz", methods=["GET", "HEAD"], dependencies=[Anyone])
def healthz() -> PlainTextResponse:
    return PlainTextResponse("ok\n")


@router.api_route("/readyz", methods=["GET", "HEAD"], dependencies=[Anyone])
def readyz(request: Request) -> JSONResponse:
    parts = dict(services_of(request).health.ready())
    ready = all(parts.values())
    return JSONResponse({"ready": ready, "parts": parts}, status_code=200 if ready else 503)


@router.get("/metrics", dependencies=[Local])
def metrics(request: Request) -> Response:
    return Response(exposition(services_of(request).health.metrics()), media_type=METRICS_TYPE)


def exposition(metrics: Iterable[Metric]) -> str:
    """Prometheus' text format, each metric with its help and type."""
    lines = []
    for metric in metrics:
        lines.append(f"# HELP {metric.name} {_escape(metric.help)}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        lines += [
            f"{metric.name}{_labels(labels)} {_number(value)}" for labels, value in metric.samples
        ]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    """Whole numbers whole: no digit of a count may be lost."""
    return str(int(value)) if value == int(value) else repr(value)


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    quoted = (
        name + '="' + _escape(text).replace('"', '\\"') + '"' for name, text in labels.items()
    )
    return "{" + ",".join(quoted) + "}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
