"""A mailing list in the sample mail: a long discussion among people who run mail servers."""

from app.demo.traffic.correspondents import LIST, MEI, NILS, RUTH, SAM, VLAD
from app.demo.traffic.letter import Draft, Letter, Person, Times, body, quoted, write

SUBJECT = "[continuity] Runbooks: on paper, on a phone, or both?"
BOUNCES = "continuity-bounces@lists.opsguild.example"

# Who writes, how many working days back and when, and the number of the post that it answers.
POSTS: tuple[tuple[Person, int, str, int], ...] = (
    (RUTH, 4, "09:48", 0),
    (SAM, 4, "11:15", 1),
    (NILS, 4, "14:32", 1),
    (MEI, 3, "02:20", 3),
    (RUTH, 3, "08:05", 4),
    (SAM, 1, "17:58", 5),
)
FOOTER = """\
_______________________________________________
continuity mailing list -- continuity@lists.opsguild.example
To leave, send a mail to continuity-leave@lists.opsguild.example
"""
HEADERS = (
    ("Sender", BOUNCES),
    ("Precedence", "list"),
    ("List-Id", "Mail continuity <continuity.lists.opsguild.example>"),
    ("List-Post", "<mailto:continuity@lists.opsguild.example>"),
    ("List-Unsubscribe", "<mailto:continuity-leave@lists.opsguild.example>"),
    ("List-Archive", "<https://lists.opsguild.example/archives/continuity/>"),
)


def all_letters(times: Times) -> list[Letter]:
    """The posts as the list's server sends them on."""
    letters: list[Letter] = []
    for number, (writer, days, clock, answers) in enumerate(POSTS, start=1):
        text = body(f"list-{number}")
        if number == 2:
            text += "\n" + quoted(body("list-1"), RUTH, times.workday(4, "09:48"))
        draft = Draft(
            f"list-{number}",
            Person(f"{writer.name} via Continuity", LIST.address),
            (LIST,),
            f"Re: {SUBJECT}" if answers else SUBJECT,
            times.workday(days, clock),
            text=f"{text}\n{FOOTER}",
            flowed=True,
            parent=letters[answers - 1] if answers else None,
            headers=(*HEADERS, ("Reply-To", f"{LIST}, {writer}")),
            rcpt_to=(VLAD.address,),
            mail_from=BOUNCES,
        )
        letters.append(write(draft))
    return letters
