"""How a primary is judged: up, slow, down or refusing. The clock is the test's."""

from datetime import UTC, datetime, timedelta

import pytest

from app.delivery.contact import Contact, Reached
from app.delivery.health import Health, State, known, observe

T0 = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = 60.0


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def watch(*seen: tuple[float, Contact | Reached], start: State = State.UP) -> Health:
    return turns(*seen, start=start)[-1]


def turns(*seen: tuple[float, Contact | Reached], start: State = State.UP) -> list[Health]:
    """The health at the start and after each attempt that turned the state."""
    found = [known(start, T0)]
    for seconds, one in seen:
        reached = one if isinstance(one, Reached) else Reached(one)
        health = observe(found[-1], reached, after(seconds))
        if health.state is found[-1].state:
            found[-1] = health
        else:
            found.append(health)
    return found


def answer(took: float = 0.1, took_mail: bool | None = None) -> Reached:
    return Reached(Contact.ANSWERED, "", took, took_mail)


PUT_OFF = answer(took=0.0, took_mail=False)
TAKEN = answer(took=0.0, took_mail=True)


def test_one_failure_is_no_outage() -> None:
    health = watch((0, Contact.REFUSED))
    assert health.state is State.UP
    assert health.suspect


def test_two_refusals_a_moment_apart_are_an_outage_since_the_first() -> None:
    health = watch((10, Contact.REFUSED), (12, Contact.REFUSED))
    assert (health.state, health.since) == (State.DOWN, after(10))


@pytest.mark.parametrize("contact", [Contact.REFUSED, Contact.SILENT, Contact.UNREADY])
def test_a_burst_of_parallel_failures_counts_as_one(contact: Contact) -> None:
    assert watch(*((0.01 * n, contact) for n in range(20))).state is State.UP


@pytest.mark.parametrize(
    ("contact", "state"), [(Contact.SILENT, State.DOWN), (Contact.UNREADY, State.REFUSING)]
)
def test_silence_must_last_longer_than_a_closed_port(contact: Contact, state: State) -> None:
    assert watch((0, contact), (5, contact)).state is State.UP
    health = watch((0, contact), (5, contact), (10, contact))
    assert (health.state, health.since) == (state, after(0))


def test_a_success_in_between_starts_the_count_anew() -> None:
    found = turns((0, Contact.REFUSED), (5, Contact.ANSWERED), (20, Contact.REFUSED))
    assert [one.state for one in found] == [State.UP]


def test_one_success_ends_an_outage() -> None:
    health = watch((0, Contact.REFUSED), (2, Contact.REFUSED), (62, Contact.ANSWERED))
    assert health == Health(State.UP, after(62))


def test_a_long_outage_starts_once() -> None:
    found = turns(*((n, Contact.REFUSED) for n in range(100)))
    assert [(one.state, one.since) for one in found[1:]] == [(State.DOWN, after(0))]


def test_an_outage_changes_its_kind_only_when_that_lasts() -> None:
    down = ((0, Contact.REFUSED), (2, Contact.REFUSED))
    odd = turns(*down, (10, Contact.UNREADY), (15, Contact.REFUSED), (25, Contact.UNREADY))
    assert [one.state for one in odd] == [State.UP, State.DOWN]
    other = turns(*down, (10, Contact.UNREADY), (15, Contact.UNREADY), (20, Contact.UNREADY))
    assert (other[-1].state, other[-1].since) == (State.REFUSING, after(10))


def test_a_mail_that_is_denied_says_nothing_of_the_server() -> None:
    denied = Reached(Contact.DENIED, "it answers MAIL with 550")
    failing = watch((0, Contact.SILENT))
    assert observe(failing, denied, after(5)) == failing
    assert watch(*((n, denied) for n in range(60))) == known(State.UP, T0)


def test_one_late_answer_is_not_slow() -> None:
    assert watch((0, answer(9)), (30, answer(0.1)), (60, answer(9)), (90, answer(0.1))).state is (
        State.UP
    )


def test_late_answers_that_go_on_are_slow_since_the_first() -> None:
    health = watch((5, answer(9)), (35, answer(12)), (65, answer(9)))
    assert (health.state, health.since) == (State.SLOW, after(5))


def test_an_open_session_says_nothing_of_the_pace() -> None:
    health = watch((0, answer(9)), (30, answer(0)), (61, answer(9)))
    assert health.state is State.SLOW


def test_slow_ends_when_prompt_answers_go_on() -> None:
    found = turns((10, answer(0.1)), (40, answer(9)), (50, answer(0.1)), start=State.SLOW)
    assert [one.state for one in found] == [State.SLOW]
    found = turns((10, answer(0.1)), (40, answer(0.1)), (70, answer(0.1)), start=State.SLOW)
    assert [(one.state, one.since) for one in found[1:]] == [(State.UP, after(70))]


def test_mail_that_is_put_off_for_long_is_slow_and_a_prompt_probe_does_not_end_it() -> None:
    put_off = [(n * MINUTE, PUT_OFF) for n in (1, 2, 4)]
    assert watch(*put_off).state is State.UP
    assert watch((1 * MINUTE, PUT_OFF), (7 * MINUTE, PUT_OFF)).state is State.UP
    slow = turns(*put_off, (6 * MINUTE, PUT_OFF), (7 * MINUTE, answer(0.1)))
    assert (slow[-1].state, slow[-1].since) == (State.SLOW, after(1 * MINUTE))


def test_mail_that_is_taken_ends_slowness() -> None:
    put_off = [(n * MINUTE, PUT_OFF) for n in (1, 2, 4, 7)]
    assert watch(*put_off, (8 * MINUTE, TAKEN)).state is State.UP
    assert watch(*put_off[:3], (5 * MINUTE, TAKEN), put_off[3]).state is State.UP


def test_put_off_mail_of_long_ago_is_forgotten() -> None:
    put_off = [(n * MINUTE, PUT_OFF) for n in (1, 2, 4, 7)]
    assert watch(*put_off, (100 * MINUTE, answer(0.1))).state is State.SLOW
    assert watch(*put_off, (128 * MINUTE, answer(0.1))).state is State.UP


def test_a_slow_server_can_go_down_and_comes_back_well() -> None:
    late = ((0, answer(9)), (61, answer(9)))
    found = turns(*late, (70, Contact.REFUSED), (72, Contact.REFUSED), (80, answer(0.1)))
    assert [one.state for one in found] == [State.UP, State.SLOW, State.DOWN, State.UP]
