"""The certificate role: gets the TLS certificate by ACME, and answers on port 80.

It holds the account's key, and the certificate's while it is made: no mail, and no key of mail.
People wait for nothing that it does: whatever fails here, the listeners keep what they have.
"""

import asyncio
import logging
import sys
import threading
from datetime import datetime

from app import audit
from app.audit.alarms import raise_alarm
from app.audit.events import CertificateFailed, CertificateIssued
from app.certificates.authority import Authority
from app.certificates.config import AcmeConfig
from app.certificates.kept import Kept
from app.certificates.port80 import Answers, Port80
from app.certificates.renewal import Renewal
from app.roles.listening import bind
from app.roles.process import Role, run_role
from app.viewer import Actor
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import ConfigError, StoreError

LOOK_SECONDS = 1.0
BIND_AGAIN_SECONDS = 10.0
FAULT_SECONDS = 60.0

log = logging.getLogger(__name__)


class AuditTrail:
    """Writes what happened into the installation's trail; a database that is away stops nothing."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def issued(self, names: tuple[str, ...], ends: datetime) -> None:
        """There is a new certificate: this ends the alarm."""
        event = CertificateIssued(names=", ".join(names), valid_until=ends.date())
        try:
            with self._db.write() as tx:
                actor = Actor.system("certificate")
                audit.record(tx, event, trail=audit.INSTALLATION, actor=actor, at=utc_now())
        except StoreError as error:
            log.warning("the audit trail could not be written: %s", error)

    def failed(self, names: tuple[str, ...], trouble: str) -> None:
        """There is none."""
        event = CertificateFailed(names=", ".join(names), trouble=trouble)
        try:
            raise_alarm(self._db, event, "certificate", utc_now())
        except StoreError as error:
            log.warning("an alarm could not be recorded: %s", error)


def main(role: Role) -> None:
    """Answer and renew until asked to stop."""
    acme = role.config.acme
    if acme is None:
        raise ConfigError("ACME_NAMES: expected names for the certificate role")
    kept, answers, db = Kept(acme.folder), Answers(), Database(role.config.store.database)
    with kept.alone() as alone:
        if not alone:
            raise ConfigError(f"DATA_DIR: another certificate role works in {acme.folder}")
        renewal = Renewal(
            acme, kept, answers, lambda: Authority(acme, kept, answers), AuditTrail(db)
        )
        asyncio.run(_serve(role, acme, answers, renewal))
    db.close()


async def _serve(role: Role, acme: AcmeConfig, answers: Answers, renewal: Renewal) -> None:
    loop, stop = asyncio.get_running_loop(), role.stop_event()
    port = Port80(answers, acme.redirect)
    server = None
    # A thread that waits for an authority must not hold up the end.
    renewing = threading.Thread(target=_renew, args=(role, renewal), daemon=True)
    while not stop.is_set():
        if server is None:
            try:
                server = await loop.create_server(port.visit, sock=bind("ACME_HTTP", acme.http))
                answers.not_listening = ""
            except ConfigError as error:
                answers.not_listening = str(error)
        if not renewing.is_alive():
            renewing.start()
            role.ready()
        waits = None if server is not None else BIND_AGAIN_SECONDS
        try:
            await asyncio.wait_for(stop.wait(), waits)
        except TimeoutError:
            continue
    if server is not None:
        server.close()


def _renew(role: Role, renewal: Renewal) -> None:
    pause = LOOK_SECONDS
    while not role.stop.wait(pause):
        pause = LOOK_SECONDS
        try:
            renewal.look(utc_now())
        except Exception as error:  # without this thread no certificate would ever come again
            log.error("looking after the certificate failed: %s", type(error).__name__)  # noqa: TRY400 - its text may be a stranger's
            pause = FAULT_SECONDS


if __name__ == "__main__":
    sys.exit(run_role("certificate", main))
