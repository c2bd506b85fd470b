"""The records of a domain in the DNS: shown at once, and checked when somebody asks."""

from fastapi import APIRouter, Request, Response

from app.web.access import Operator
from app.web.csrf import PostedForm
from app.web.deps import services_of
from app.web.render import page

router = APIRouter()


@router.get("/admin/domains/{domain_id}/dns", name="dns")
def dns(request: Request, visit: Operator, domain_id: str) -> Response:
    found = services_of(request).dns.page(visit.viewer, domain_id, check=False)
    return page(request, visit, "admin/dns.html", {"found": found})


@router.post("/admin/domains/{domain_id}/dns", name="check_dns")
def check_dns(request: Request, visit: Operator, domain_id: str, _: PostedForm) -> Response:
    found = services_of(request).dns.page(visit.viewer, domain_id, check=True)
    return page(request, visit, "admin/dns.html", {"found": found})
