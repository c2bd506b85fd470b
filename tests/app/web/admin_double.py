"""The administration in memory: two domains, some people, a trail, a log, a mailbag."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from app.admin_views import (
    AuditFilter,
    AuditLine,
    AuditPage,
    DayFigure,
    DkimLine,
    DomainForm,
    DomainLine,
    HourFigure,
    MaillogDetail,
    MaillogHit,
    MaillogQuery,
    MaillogStep,
    NewPassword,
    Outcome,
    Overview,
    PeoplePage,
    PersonForm,
    PersonLine,
    QueueLine,
    QueuePage,
    StepState,
)
from app.audit.kinds import SOURCES
from app.phrase import phrase
from app.viewer import Role, Viewer
from app.views import BadEntry
from archive_store.errors import NotFound
from tests.app.web import sample
from tests.app.web.sample import NOW

ARRIVED = (52, 50, 44, 40, 31, 18, 11, 8, 6, 5, 4, 6, 3, 4, 5, 2, 4, 7, 12, 21, 33, 47, 50, 38)
HELD = {22: 41, 23: 38}
STEPS: tuple[tuple[str, str, StepState], ...] = (
    (phrase("Received and kept"), phrase("From %(where)s.", where="[192.0.2.44]"), "ok"),
    (phrase("Kept"), phrase("For %(recipients)s.", recipients="sales@acme.example"), "ok"),
    (
        phrase("Not taken yet"),
        phrase("%(server)s said: %(reply)s", server="mail.acme.example", reply="421 4.3.2"),
        "warn",
    ),
)


def _domain(number: int, name: str, **more: Any) -> DomainLine:
    base = DomainLine(
        id=sample.entry_id(900 + number),
        name=name,
        mode="relay",
        relay=f"mail.{name}:25",
        smarthost="",
        unknown_recipients="relay",
        enabled=True,
        people=143,
        waiting=0,
        server="up",
        server_since=None,
    )
    return replace(base, **more)


def domains() -> list[DomainLine]:
    return [
        _domain(
            0,
            "acme.example",
            waiting=209,
            server="down",
            server_since=NOW - timedelta(minutes=86),
            server_error="421 4.3.2 not accepting",
            dkim=(
                DkimLine(
                    selector="la20261124",
                    signs=True,
                    host="la20261124._domainkey.acme.example",
                    value="v=DKIM1; k=rsa; p=" + "MIIB" * 98,
                ),
            ),
        ),
        _domain(1, "ownwebnow.example", people=12),
        _domain(
            2,
            "verein-der-freunde-der-donaudampfschifffahrt.example",
            mode="copy",
            relay="",
            people=3,
            server="unknown",
        ),
    ]


def people() -> list[PersonLine]:
    listed = [*sample.PEOPLE.values()]
    lines = [
        PersonLine(
            id=sample.entry_id(700 + n),
            address=who.address,
            name=who.name,
            role=who.role,
            domain=who.domain_name,
            live=n != 2,
            disabled=False,
            created_at=NOW - timedelta(days=90),
            last_login_at=NOW - timedelta(hours=3 * n) if n != 2 else None,
        )
        for n, who in enumerate(listed)
    ]
    gone = replace(
        lines[0],
        id=sample.entry_id(799),
        address="dana@acme.example",
        name=sample.LONG_WORD,
        disabled=True,
    )
    return [*lines, gone]


@dataclass
class AdminDouble:
    """A service provider sees every domain, anybody else their own."""

    all_domains: list[DomainLine] = field(default_factory=domains)
    all_people: list[PersonLine] = field(default_factory=people)
    held: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    asked: list[object] = field(default_factory=list)

    def domains(self, viewer: Viewer) -> tuple[DomainLine, ...]:
        every = viewer.user.role is Role.PROVIDER
        return tuple(d for d in self.all_domains if every or d.name == viewer.user.domain_name)

    def domain(self, viewer: Viewer, domain_id: str) -> DomainLine:
        for line in self.domains(viewer):
            if line.id == domain_id:
                return line
        raise NotFound

    def add_domain(self, viewer: Viewer, form: DomainForm) -> str:
        if "." not in form.name:
            raise BadEntry("name", f'"{form.name}" is no domain: it lacks its ending.')
        self.all_domains.append(_domain(len(self.all_domains), form.name))
        return self.all_domains[-1].id

    def set_domain(self, viewer: Viewer, domain_id: str, form: DomainForm) -> None:
        old = self.domain(viewer, domain_id)
        if form.mode == "relay" and not form.relay:
            raise BadEntry("relay", "Say where its mail goes on to, as host:port.")
        place = self.all_domains.index(old)
        self.all_domains[place] = replace(
            old,
            relay=form.relay,
            enabled=form.enabled,
            checked_by=form.checked_by,
            second_factor=form.second_factor,
        )

    def overview(self, viewer: Viewer) -> Overview:
        seen = self.domains(viewer)
        today = NOW.date()
        return Overview(
            domains=seen,
            people=sum(d.people for d in seen),
            signed_in=31,
            waiting=sum(d.waiting for d in seen),
            waiting_octets=88_400_000,
            oldest_waiting=NOW - timedelta(minutes=86),
            days=tuple(
                DayFigure(day=today - timedelta(days=6 - n), messages=m, octets=m * 91_000)
                for n, m in enumerate((1910, 2040, 1455, 310, 220, 2200, 1180))
            ),
            hours=tuple(
                HourFigure(
                    at=NOW.replace(minute=0) - timedelta(hours=23 - n),
                    arrived=m,
                    waiting=HELD.get(n, 0),
                )
                for n, m in enumerate(ARRIVED)
            ),
            disk_free_octets=41_000_000_000,
            disk_octets=320_000_000_000,
        )

    def people(self, viewer: Viewer, *, domain_id: str, page: int) -> PeoplePage:
        if domain_id:
            self.domain(viewer, domain_id)
        return PeoplePage(
            rows=tuple(self.all_people), total=len(self.all_people), page=page, pages=3
        )

    def _person(self, user_id: str) -> PersonLine:
        for line in self.all_people:
            if line.id == user_id:
                return line
        raise NotFound

    def add_person(self, viewer: Viewer, form: PersonForm) -> NewPassword:
        if "@" not in form.address:
            raise BadEntry("address", f'"{form.address}" is no address.')
        return NewPassword(address=form.address, password="harbour-plum-seven-lantern-42")

    def set_disabled(self, viewer: Viewer, user_id: str, disabled: bool) -> None:
        old = self._person(user_id)
        self.all_people[self.all_people.index(old)] = replace(old, disabled=disabled)

    def reset_password(self, viewer: Viewer, user_id: str) -> NewPassword:
        found = self._person(user_id)
        return NewPassword(address=found.address, password="harbour-plum-seven-lantern-42")

    def audit(self, viewer: Viewer, wanted: AuditFilter) -> AuditPage:
        self.asked.append(wanted)
        told = (
            (
                "vlad@acme.example",
                "message.sent",
                phrase("Replied as %(identity)s to one recipient", identity="sales@acme.example"),
                False,
            ),
            ("vlad@acme.example", "message.opened", phrase("Opened a message"), False),
            ("maria@acme.example", "maillog.searched", phrase("Searched the mail log"), False),
            (
                "dana@acme.example",
                "login.failed",
                phrase("Wrong password, third time; paused for a minute"),
                True,
            ),
            (
                "LiveArchive (probe)",
                "outage.began",
                phrase("%(server)s stopped answering", server="mail.acme.example"),
                False,
            ),
            (
                f"{sample.LONG_WORD}@acme.example",
                "login.succeeded",
                phrase("Signed in on a public computer"),
                False,
            ),
        )
        rows = tuple(
            AuditLine(
                seq=48_212 - n,
                at=NOW - timedelta(minutes=7 * n * n),
                actor=actor,
                name=name,
                text=text,
                client_ip="" if name == "outage.began" else "2001:db8:0:7::1",
                refused=refused,
            )
            for n, (actor, name, text, refused) in enumerate(told)
            if wanted.kind in ("", name.partition(".")[0]) and wanted.person in actor
        )
        return AuditPage(rows=rows, kinds=SOURCES, total=len(rows), page=wanted.page, pages=4)

    def audit_export(self, viewer: Viewer, wanted: AuditFilter) -> tuple[str, bytes]:
        self.asked.append(wanted)
        return "audit-acme.example.jsonl", b'{"seq": 1}\n'

    def _hits(self) -> tuple[MaillogHit, ...]:
        told: tuple[tuple[str, str, Outcome, float], ...] = (
            (
                "hanna.berg@brightwater.example",
                "sales@acme.example,lars@acme.example",
                "waiting",
                0.2,
            ),
            ("sales@acme.example", "hanna.berg@brightwater.example", "delivered", 2),
            ("", "vlad@acme.example", "stored", 3),
            ("hanna.berg@brightwater.example", "slaes@acme.example", "refused", 30),
        )
        return tuple(
            MaillogHit(
                id=sample.entry_id(500 + n),
                at=NOW - timedelta(hours=hours),
                mail_from=sender,
                recipients=tuple(to.split(",")),
                subject="Purchase order 4471" if n == 0 else "",
                size=312_000 // (n + 1),
                outcome=outcome,
            )
            for n, (sender, to, outcome, hours) in enumerate(told)
        )

    def maillog(self, viewer: Viewer, query: MaillogQuery) -> tuple[MaillogHit, ...]:
        self.asked.append(query)
        return tuple(h for h in self._hits() if any(query.recipient in to for to in h.recipients))

    def maillog_detail(self, viewer: Viewer, line_id: str) -> MaillogDetail:
        for hit in self._hits():
            if hit.id == line_id:
                return MaillogDetail(
                    hit=hit,
                    message_id="<20261124.0958.71@brightwater.example>",
                    leaves_on=hit.at + sample.KEEP,
                    steps=tuple(
                        MaillogStep(at=hit.at + timedelta(seconds=n), title=t, text=x, state=state)
                        for n, (t, x, state) in enumerate(STEPS)
                    ),
                )
        raise NotFound

    def queue(self, viewer: Viewer, page: int) -> QueuePage:
        told = (
            ("hanna.berg@brightwater.example", "sales@acme.example", 9, "421 4.3.2 not accepting"),
            (
                "sales@acme.example",
                "a-very-long-mailbox-name@brightwater.example",
                2,
                "450 4.7.1 greylisted",
            ),
            ("", "vlad@acme.example", 0, ""),
        )
        rows = tuple(
            QueueLine(
                id=sample.entry_id(300 + n),
                domain="acme.example",
                destination="mail.acme.example:25",
                mail_from=sender,
                rcpt_to=to,
                size=312_000 // (n + 1),
                state="held" if sample.entry_id(300 + n) in self.held else "queued",
                attempts=attempts,
                queued_at=NOW - timedelta(minutes=86 - 20 * n),
                next_attempt_at=NOW + timedelta(minutes=n + 1),
                last_reply=reply,
            )
            for n, (sender, to, attempts, reply) in enumerate(told)
            if sample.entry_id(300 + n) not in self.dropped
        )
        return QueuePage(rows=rows, total=209, page=page, pages=9)

    def flush(self, viewer: Viewer) -> int:
        return 209

    def hold(self, viewer: Viewer, item_id: str) -> None:
        self.held.add(item_id)

    def release(self, viewer: Viewer, item_id: str) -> None:
        self.held.discard(item_id)

    def drop(self, viewer: Viewer, item_id: str) -> None:
        self.dropped.add(item_id)
