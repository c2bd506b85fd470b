"""Sending in memory: nothing leaves, and what was given is kept."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.sending.quoting_rich import sheet
from app.sending.rich import cite, quoted_html
from app.viewer import Viewer
from app.views import BadDraft, Draft, DraftKind, IdentityView, Outgoing, SentReceipt
from tests.app.web import sample
from tests.app.web.draft_double import DraftDouble
from tests.app.web.habit_double import HabitDouble
from tests.app.web.outbox_double import OutboxDouble

if TYPE_CHECKING:
    from tests.app.web.double import ReadingDouble


@dataclass
class SendingDouble:
    """Sends nothing; keeps what it was given."""

    reading: "ReadingDouble"
    drafts: DraftDouble
    outbox: OutboxDouble
    habits: HabitDouble
    sent: list[Outgoing] = field(default_factory=list)
    holds: bool = False  # what is sent can be taken back

    def identities(self, viewer: Viewer) -> tuple[IdentityView, ...]:
        names = ("Vlad Mazek", "Vlad Mazek, Acme Sales", "Vlad Mazek")
        return tuple(
            IdentityView(
                id=f"i{n}",
                address=address,
                display_name=name,
                primary=n == 0,
                signature=self.habits.kept.signatures.get(f"i{n}", ""),
            )
            for n, (address, name) in enumerate(zip(sample.IDENTITIES, names, strict=True))
        )

    def draft_for(self, viewer: Viewer, kind: DraftKind, entry_id: str | None) -> Draft:
        if entry_id is None:
            likes = self.habits.kept.rich
            return Draft(
                kind="new", identity_id="i0", to="", cc="", subject="", text="", begin_rich=likes
            )
        letter = self.reading.letters[self.reading.place_of(entry_id)]
        forward = kind == "forward"
        quoted = "\n".join(f"> {line}".rstrip() for line in letter.text.splitlines())
        everyone = ", ".join(f"{who.name} <{who.address}>" for who in letter.parsed.cc)
        return Draft(
            kind=kind,
            identity_id=f"i{sample.IDENTITIES.index(letter.row.sent_to)}",
            to="" if forward else f"{letter.row.sender_name} <{letter.row.sender_address}>",
            cc=everyone if kind == "reply-all" else "",
            subject=("Fwd: " if forward else "Re: ") + letter.row.subject,
            text=f"\n\nOn Tuesday, {letter.row.sender_name} wrote:\n{quoted}\n",
            rich=sheet(
                cite(quoted_html(letter.parsed.html or letter.text, {})),
                "",
                self.habits.kept.quoting,
            ),
            begin_rich=self.habits.kept.rich,
            attachments=letter.attachments if forward else (),
            source_entry=entry_id,
        )

    def send(
        self, viewer: Viewer, outgoing: Outgoing, leaves_at: datetime | None = None
    ) -> SentReceipt:
        if not outgoing.to.strip():
            raise BadDraft("to", "Say who shall get it.")
        if "@" not in outgoing.to:
            raise BadDraft("to", f'"{outgoing.to}" lacks its ending. Did you mean @acme.example?')
        self.sent.append(outgoing)
        self.drafts.drop(viewer, outgoing.draft or "")
        if leaves_at is None and self.holds:
            leaves_at = sample.NOW + timedelta(seconds=15)
        if leaves_at is not None:
            return self.outbox.put(outgoing, leaves_at)
        address = sample.IDENTITIES[int(outgoing.identity_id[1:])]
        return SentReceipt(
            entry_id=sample.entry_id(20),
            text=f"Sent as {address}. A copy will be in your own Sent folder when your mail "
            "server is back.",
        )
