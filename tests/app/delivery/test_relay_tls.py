"""What a domain asks of the connection to its servers: TLS if offered, always, or checked."""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from app.accounts.domains import Tls
from app.config_kinds import HostPort
from app.delivery.contact import Contact, Reached
from app.delivery.courier import Courier, Report
from app.delivery.outcome import Deferred, Delivered
from app.delivery.routes import towards
from tests.app.delivery.sinks import Sink
from tests.app.delivery.test_courier import (
    BOB,
    HEAD,
    TIMEOUTS,
    Keeping,
    aiosmtpd_server,
    parcel,
    run,
)


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "authority.pem")
    return made


@pytest.mark.parametrize(
    ("name", "trusted", "tls", "why"),
    [
        ("localhost", True, Tls.VERIFY, ""),
        ("another.example", True, Tls.VERIFY, "its certificate is not valid"),
        ("localhost", False, Tls.VERIFY, "its certificate is not valid"),
        ("another.example", False, Tls.ENCRYPT, ""),
    ],
)
def test_what_a_domain_asks_of_a_certificate_decides(
    authority: trustme.CA, tmp_path: Path, name: str, trusted: bool, tls: Tls, why: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    handler = Keeping()
    authorities = tmp_path / "authority.pem" if trusted else None

    async def scenario() -> tuple[Report, Reached]:
        async with aiosmtpd_server(handler, context) as port:
            courier = Courier("live.example", TIMEOUTS, authorities)
            route = towards(HostPort("localhost", port), tls)
            report = await courier.deliver(route, parcel())
            reached = await courier.probe(route.targets[0])
            await courier.close()
            return report, reached

    report, reached = asyncio.run(scenario())
    # A probe that saw less than an attempt would open and close an outage for ever.
    assert report.reached.why == reached.why == why
    assert handler.got == ([] if why else [(True, HEAD)])
    expected = Deferred if why else Delivered
    assert isinstance(report.outcomes[BOB], expected)


@pytest.mark.parametrize("tls", [Tls.ENCRYPT, Tls.VERIFY])
@pytest.mark.parametrize("offers", [(), ("STARTTLS",)])
def test_what_has_to_be_encrypted_never_goes_in_clear(tls: Tls, offers: tuple[str, ...]) -> None:
    async def scenario(server: Sink) -> Report:
        courier = Courier("live.example", TIMEOUTS)
        route = towards(HostPort("127.0.0.1", server.port), tls)
        report = await courier.deliver(route, parcel())
        assert (await courier.probe(route.targets[0])).contact is Contact.UNREADY
        await courier.close()
        return report

    def answer(line: str) -> str | None:
        return "454 4.7.0 not now" if line == "STARTTLS" else None

    report, server = run(scenario, offers=offers, answer=answer)
    assert isinstance(report.outcomes[BOB], Deferred)
    assert report.reached.contact is Contact.UNREADY
    assert not any(line.startswith("MAIL") for line in server.lines)


def test_a_session_that_was_not_checked_is_not_used_for_what_has_to_be() -> None:
    async def scenario(server: Sink) -> Report:
        courier = Courier("live.example", TIMEOUTS)
        where = HostPort("127.0.0.1", server.port)
        await courier.deliver(towards(where), parcel())
        report = await courier.deliver(towards(where, Tls.VERIFY), parcel())
        await courier.close()
        return report

    report, server = run(scenario)
    assert isinstance(report.outcomes[BOB], Deferred)
    assert len(server.taken) == 1
