"""The ingest role: SMTP and LMTP listeners, and a second process that seals and stores.

This process holds no key at all. The other one (`ingest_writer`) can seal and cannot open.
"""

import asyncio
import logging
import resource
import sys
from dataclasses import replace

import uvloop

from app.certificates.stand_in import listeners_certificate
from app.config import Config, HostPort
from app.door import Door
from app.roles.process import Role, run_role
from app.roles.rinsing import rinsing
from app.upstreams import LoginTrail, UpstreamLogins
from app.wayback.mark import Marks
from app.wiring import Parts
from app.writer_client import WriterClient
from archive_store.errors import ConfigError, WriteFailed
from smtp_ingest.config import KEPT_FOR_SMALL, IngestConfig
from smtp_ingest.server import CannotListen, serve
from smtp_ingest.tls import renewing
from smtp_ingest.trust import TrustedHosts

log = logging.getLogger(__name__)
_OTHER_FILES = 100  # of this process, beside a socket for each session


def main(role: Role) -> None:
    """Listen until asked to stop, then finish the mail in hand."""
    uvloop.run(_serve(role))


async def _serve(role: Role) -> None:
    config, stop = role.config, role.stop_event()
    parts = Parts(config, role.name)
    files = listeners_certificate(config)
    tls = files.context() if files is not None else None
    writer = await WriterClient.start()
    logins = UpstreamLogins(dict(config.smtp_logins), LoginTrail(parts.db))
    try:
        limits = ingest_config(config)
        running = await serve(
            Door(parts.db, writer, Marks(parts.public)),
            replace(limits, max_sessions=allowed_sessions(limits.max_sessions)),
            smtp=_address(config.smtp),
            lmtp=_address(config.lmtp),
            smtps=_address(config.smtps),
            tls=tls,
            logins=logins if config.smtp_logins else None,
        )
    except CannotListen as error:
        raise ConfigError(str(error)) from error
    role.ready()
    with renewing(files, tls), rinsing():
        await _first(stop, writer.ended)
    lost = writer.ended.is_set()
    await running.aclose()
    await writer.aclose()
    parts.close()
    if lost:
        raise WriteFailed("the process that stores mail has ended")


def allowed_sessions(wanted: int) -> int:
    """As many of the wanted sessions as this process may open files for; raises its limit.

    Most systems begin with 1,024, for the sake of programs that call select(2).
    """
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < wanted + _OTHER_FILES:
        allowed = min(wanted + _OTHER_FILES, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return min(wanted, max(allowed - _OTHER_FILES, 1))


async def _first(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


def ingest_config(config: Config) -> IngestConfig:
    """The door's limits from the settings."""
    return IngestConfig(
        hostname=config.hostname,
        max_size=config.max_message_size,
        max_octets_in_flight=2 * config.max_message_size + KEPT_FOR_SMALL,
        needs_auth=config.smtp_login_required,
        trusted=TrustedHosts(
            smtp_proxies=config.smtp_proxies,
            lmtp_proxies=config.lmtp_proxies,
            smtps_proxies=config.smtps_proxies,
            xclient=config.xclient_hosts,
            xforward=config.xforward_hosts,
            feeds=config.trusted_feeds,
        ),
    )


def _address(listener: HostPort | None) -> tuple[str, int] | None:
    return (listener.host, listener.port) if listener else None


if __name__ == "__main__":
    sys.exit(run_role("ingest", main))
