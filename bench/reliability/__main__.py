"""`./dev bench reliability kill|power|faults`: short by itself, as long as its options say.

Ends with 1 when anything was lost, doubled or half, with a line that says what.
"""

import argparse
import sys

from bench.reliability import faults, kill, power


def main(words: list[str] | None = None) -> int:
    """Run what the command line asks for; the exit status."""
    parser = argparse.ArgumentParser(prog="./dev bench reliability", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    _kill(verbs.add_parser("kill", help="SIGKILL for every role at random moments under load"))
    _power(verbs.add_parser("power", help="power cuts, from the system calls of a service"))
    _faults(verbs.add_parser("faults", help="the n-th call fails: I/O error, full disk, fsync"))
    given = parser.parse_args(words)
    report = given.run(given)
    print("\n".join(report.lines()))
    return 1 if report.wrong else 0


def tell(text: str) -> None:
    """Say what is going on."""
    print(text, file=sys.stderr, flush=True)


def _kill(parser: argparse.ArgumentParser) -> None:
    usual = kill.Plan()
    say = parser.add_argument
    say("--lives", type=int, default=usual.lives, help="of the supervisor; some 17 kills each")
    say("--minutes", type=float, default=usual.minutes, help="an end before that (0: none)")
    say("--senders", type=int, default=usual.senders, help="SMTP sessions at once")
    say("--pause", type=float, default=usual.pause, help="seconds of a sender between two mails")
    say("--seed", type=int, default=usual.seed, help="of the random moments")
    _where(parser)
    parser.set_defaults(
        run=lambda g: kill.run(
            kill.Plan(
                g.lives, g.minutes, g.senders, g.pause, g.seed, g.database_url, g.objects_url
            ),
            tell,
        )
    )


def _power(parser: argparse.ArgumentParser) -> None:
    usual = power.Plan()
    say = parser.add_argument
    say("--rounds", type=int, default=usual.rounds, help="services that are watched")
    say("--mails", type=int, default=usual.mails, help="in each round")
    say("--cuts", type=int, default=usual.cuts, help="power cuts in each round")
    say("--senders", type=int, default=usual.senders, help="SMTP sessions at once")
    say("--minutes", type=float, default=usual.minutes, help="an end before that (0: none)")
    say("--seed", type=int, default=usual.seed, help="of the moments and of what is left")
    parser.set_defaults(
        run=lambda g: power.run(
            power.Plan(g.rounds, g.mails, g.cuts, g.senders, g.minutes, g.seed), tell
        )
    )


def _faults(parser: argparse.ArgumentParser) -> None:
    usual = faults.Plan()
    say = parser.add_argument
    say("--points", type=int, default=usual.points, help="n of each fault at most (0: every n)")
    say("--operations", nargs="*", default=usual.operations, help=" ".join(usual.operations))
    say("--faults", nargs="*", default=usual.faults, help=", ".join(usual.faults))
    _where(parser)
    parser.set_defaults(
        run=lambda g: faults.run(
            faults.Plan(
                g.points, tuple(g.operations), tuple(g.faults), g.database_url, g.objects_url
            ),
            tell,
        )
    )


def _where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database-url", default="", help="an empty database (SQLite)")
    parser.add_argument("--objects-url", default="", help="an empty place for segments (files)")


if __name__ == "__main__":
    sys.exit(main())
