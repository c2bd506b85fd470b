"""`livearchive certificate show|renew`."""

from time import monotonic, sleep

import typer

from app.certificates.config import AcmeConfig
from app.certificates.kept import Held, Kept, State, days_left
from app.certificates.schedule import due_at
from app.cli.access import DataOption, load_config
from app.cli.output import Failed, JsonOption, emit, say
from archive_store.clock import utc_now

PATIENCE_SECONDS = 300.0
AGAIN_SECONDS = 0.2

app = typer.Typer(no_args_is_help=True)


@app.command()
def show(json: JsonOption = False, data: DataOption = None) -> None:
    """The certificate that is served, when it is renewed, and what went wrong last."""
    config = load_config(data)
    files, acme = config.certificate, config.acme
    if files is None:
        raise Failed("no certificate: set ACME_NAMES, or TLS_CERTIFICATE and TLS_KEY")
    try:
        held = Held.of(files.chain.read_bytes())
    except FileNotFoundError:
        raise Failed("none yet: start the service, which gets it") from None
    except ValueError:
        raise Failed(f"{files.chain} is no PEM certificate") from None
    found: dict[str, object] = {
        "names": sorted(held.names),
        "issuer": held.issuer,
        "serial": f"{held.serial:x}",
        "valid_from": held.begins.isoformat(),
        "valid_until": held.ends.isoformat(),
        "days_left": round(days_left(files) or 0.0, 1),
    }
    if acme is not None:
        found |= _renewal(acme, held)
    if json:
        emit(found)
        return
    for name, value in found.items():
        say(f"{name.replace('_', ' ')}: {', '.join(value) if isinstance(value, list) else value}")


def _renewal(acme: AcmeConfig, held: Held) -> dict[str, object]:
    state, now = Kept(acme.folder).state(), utc_now()
    due = max(due_at(held, acme.names, None), state.next_at or now, now)
    found = {"directory": acme.directory, "next_attempt": due.isoformat(timespec="seconds")}
    if state.failures:
        said = {"failures": state.failures, "trouble": state.trouble, "reason": state.text}
        return {**found, **said}
    return {**found}


@app.command()
def renew(data: DataOption = None) -> None:
    """Have a new certificate made now, and wait for it; the service must run."""
    acme = load_config(data).acme
    if acme is None:
        raise Failed("ACME_NAMES is not set: whoever writes the files of TLS_CERTIFICATE renews it")
    kept = Kept(acme.folder)
    with kept.alone() as alone:
        if alone:
            raise Failed("the certificate role does not run here: start the service")
    before = kept.state().attempts
    kept.want()
    state, held = _after(kept, before), kept.held()
    if state.failures or held is None:
        raise Failed(f"no new certificate ({state.trouble}): {state.text}")
    say(f"a new certificate for {', '.join(sorted(held.names))}, until {held.ends:%Y-%m-%d}")


def _after(kept: Kept, attempts: int) -> State:
    """The state after the next attempt."""
    until = monotonic() + PATIENCE_SECONDS
    while monotonic() < until:
        state = kept.state()
        if state.attempts > attempts:
            return state
        sleep(AGAIN_SECONDS)
    raise Failed("the authority takes its time: `livearchive certificate show` tells how it ended")
