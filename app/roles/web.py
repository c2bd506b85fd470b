"""The web role: the pages. It seals what people send, and opens only what a session may see."""

import shutil
import ssl
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

import uvloop

from app.accounts.entrance import Entrance
from app.accounts.habits import HabitDesk
from app.accounts.method_service import MethodParts, OwnMethods
from app.accounts.outside_desk import OutsideDesk
from app.accounts.passkeys import Site
from app.accounts.passwords import Passwords
from app.accounts.service import Accounts
from app.accounts.ways_in import WaysIn
from app.admin.dns_desk import DnsDesk, DnsParts
from app.admin.hold_service import HoldParts, Holds
from app.admin.method_desk import MethodDesk, MethodDeskParts
from app.admin.outage_desk import OutageDesk, OutageParts
from app.admin.service import Administration, AdminParts
from app.admin.webhook_desk import WebhookDesk, WebhookParts
from app.certificates.kept import days_left
from app.certificates.stand_in import listeners_certificate
from app.delivery.dns_check import Resolver
from app.keys.client import KeysClient
from app.pictures.easel import Easel
from app.pictures.fetch import Fetcher, PublicInternet
from app.pictures.light_table import LightTable
from app.pictures.remote import RemotePictures
from app.portal import Portal, Watch, WatchParts
from app.reading.desk import Documents, ReadingParts
from app.reading.live import Live
from app.reading.picture_senders import PictureSenders
from app.reading.service import Reading
from app.roles.listening import Listening, bind, serve_app
from app.roles.process import Role, run_role
from app.scanning.checks import FileChecks
from app.scanning.scanner import Scanner, scanner_of
from app.sending.draft_box import DraftBox, DraftParts
from app.sending.invitations import InvitationDesk
from app.sending.leaving import ListDesk
from app.sending.limits import SendLimits
from app.sending.outbox import Outbox, OutboxParts
from app.sending.service import Sending, SendingParts
from app.web.deps import Services
from app.web.plaintext import plain_text_document
from app.web.sanitize import raster_type, sanitize_html
from app.web.site import Extra, create_app
from app.wiring import Parts
from archive_store.archive import Archive
from archive_store.errors import ConfigError
from archive_store.mime.invitation import Invitations
from archive_store.mime.worker import ParserPool
from smtp_ingest.tls import renewing


def main(role: Role) -> None:
    """Serve the pages."""
    serve_site(role)


def serve_site(role: Role, extras: Sequence[Extra] = ()) -> None:
    """Serve the pages, and further ones, until asked to stop."""
    config = role.config
    files = listeners_certificate(config)
    tls = files.context() if files is not None else None
    listening = []
    if config.http is not None:
        listening.append(Listening(bind("HTTP", config.http)))
    if config.https is not None:
        listening.append(Listening(bind("HTTPS", config.https), tls))
    if not listening:
        raise ConfigError("HTTP, HTTPS: expected HOST:PORT for the web role")
    with ExitStack() as ending:
        services, live = make_services(role, ending)
        app = create_app(services, config, extras)

        async def serve() -> None:
            stop = role.stop_event()
            with renewing(files, tls), live.running(stop):
                await serve_app(app, listening, config.trusted_proxies, stop, role.ready)

        uvloop.run(serve())


def make_services(role: Role, ending: ExitStack) -> tuple[Services, Live]:
    """Every use case that the pages call, over this process's parts; `Live` wants to be run."""
    config, parts = role.config, Parts(role.config, role.name)
    keys, parsers, archive = parts.keys(), ParserPool(), parts.archive("web")
    calendars, easel, papers = Invitations(), Easel(), LightTable()
    for part in (parts, keys, parsers, archive, calendars, easel, papers):
        ending.callback(part.close)
    passwords, live = Passwords(), Live(parts.db)
    scanner = scanner_of(config, parsers)
    checks = FileChecks(parts.db, scanner)
    reading = _reading(parts, keys, parsers, calendars, (easel, papers), checks)
    drafts = _drafts(parts, archive, reading)
    sending = _sending(parts, archive, reading, parsers, drafts)
    site = Site.at(config.public_url)
    services = Services(
        reading=reading,
        live=live,
        sending=sending,
        invitations=InvitationDesk(reading.opener, calendars, sending),
        lists=ListDesk(parts.db, reading, _fetcher().post if config.remote_pictures else None),
        drafts=drafts,
        outbox=_outbox(parts, reading),
        habits=HabitDesk(parts.db),
        picture_senders=PictureSenders(parts.db, keys, reading),
        accounts=Portal(Accounts(parts.db, passwords), reading),
        entrance=Entrance(WaysIn(parts.db, keys, site), site),
        methods=OwnMethods(MethodParts(db=parts.db, passwords=passwords, keys=keys, site=site)),
        method_desk=MethodDesk(MethodDeskParts(db=parts.db, keys=keys)),
        admin=_administration(parts, keys, passwords),
        holds=Holds(HoldParts(db=parts.db, keys=keys, reader=parts.held_reader)),
        outages=OutageDesk(OutageParts(db=parts.db)),
        outside=OutsideDesk(parts.db, keys),
        dns=_dns(parts),
        webhooks=WebhookDesk(WebhookParts(db=parts.db, keys=keys, private=config.webhooks_private)),
        health=_watch(parts, keys, scanner),
        config=config,
        pictures=_pictures(ending, easel) if config.remote_pictures else None,
    )
    return services, live


def _reading(
    parts: Parts,
    keys: KeysClient,
    parsers: ParserPool,
    calendars: Invitations,
    drawing: tuple[Easel, LightTable],
    checks: FileChecks,
) -> Reading:
    easel, papers = drawing
    return Reading(
        ReadingParts(
            db=parts.db,
            keys=keys,
            reader=parts.reader,
            parsers=parsers,
            calendars=calendars,
            documents=Documents(html=sanitize_html, text=plain_text_document, picture=raster_type),
            redraw=easel.redraw,
            papers=papers,
            keep=timedelta(days=parts.config.keep_days),
            checks=checks,
        )
    )


def _fetcher() -> Fetcher:
    return Fetcher(PublicInternet(), ssl.create_default_context())


def _pictures(ending: ExitStack, easel: Easel) -> RemotePictures:
    pictures = RemotePictures(_fetcher(), easel)
    ending.callback(pictures.close)
    return pictures


def _administration(parts: Parts, keys: KeysClient, passwords: Passwords) -> Administration:
    return Administration(
        AdminParts(
            db=parts.db,
            keys=keys,
            passwords=passwords,
            public=parts.public,
            segments=parts.segments,
            data_dir=parts.config.data_dir,
            keep=timedelta(days=parts.config.keep_days),
        )
    )


def _dns(parts: Parts) -> DnsDesk:
    host, smarthost = parts.config.hostname, parts.config.smarthost
    return DnsDesk(DnsParts(db=parts.db, ask=Resolver().ask, hostname=host, smarthost=smarthost))


def _sending(
    parts: Parts, archive: Archive, reading: Reading, parsers: ParserPool, drafts: DraftBox
) -> Sending:
    config = parts.config
    return Sending(
        SendingParts(
            db=parts.db,
            archive=archive,
            opener=reading.opener,
            checks=reading.checks,
            parsers=parsers,
            drafts=drafts,
            hold=timedelta(seconds=config.undo_seconds),
            longest=timedelta(days=min(config.keep_days, config.mailbag_days)),
            limits=SendLimits(
                per_hour=config.send_per_hour,
                per_day=config.send_per_day,
                domain_per_hour=config.send_domain_per_hour,
                domain_per_day=config.send_domain_per_day,
            ),
        )
    )


def _outbox(parts: Parts, reading: Reading) -> Outbox:
    rows = reading.to_be_sent
    return Outbox(OutboxParts(db=parts.db, segments=parts.segments, rows=rows))


def _drafts(parts: Parts, archive: Archive, reading: Reading) -> DraftBox:
    return DraftBox(
        DraftParts(
            db=parts.db,
            archive=archive,
            opener=reading.opener,
            segments=parts.segments,
            keep=timedelta(days=parts.config.keep_days),
            forget=reading.forget_entries,
        )
    )


def _watch(parts: Parts, keys: KeysClient, scanner: Scanner | None) -> Watch:
    config = parts.config
    return Watch(
        WatchParts(
            db=parts.db,
            keys=keys,
            disk=partial(_disk, config.data_dir),
            scanner=scanner,
            certificate=partial(days_left, config.certificate),
        )
    )


def _disk(folder: Path) -> tuple[int, int]:
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total


if __name__ == "__main__":
    sys.exit(run_role("web", main))
