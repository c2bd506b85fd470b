"""The stream of a page: names of events and nothing else, and no use of a session."""

from app.views import News
from tests.app.web.client import Client
from tests.app.web.double import World


def test_an_event_is_a_name_without_content(world: World, vlad: Client) -> None:
    world.live.said = [News.CHANGED, News.QUIET, News.ENDED]
    answer = vlad.get("/live")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["cache-control"] == "no-store, no-transform"
    retry, *events = answer.text.split("\n\n")
    assert retry.startswith("retry: ")
    ready, changed, ended = "event: ready\ndata:", "event: changed\ndata:", "event: ended\ndata:"
    assert events == [ready, changed, ":", ended, ""]


def test_what_a_page_asks_by_itself_is_no_use(world: World, vlad: Client) -> None:
    before = world.accounts.used
    assert vlad.get("/live").status_code == 200
    assert vlad.get("/mail/inbox/pulse").status_code == 200
    assert world.accounts.used == before
    assert vlad.get("/alive").status_code == 204
    assert world.accounts.used == before + 1


def test_a_session_with_very_many_pages_is_told_to_wait(world: World, vlad: Client) -> None:
    world.live.full = True
    assert vlad.get("/live").status_code == 429


def test_a_stream_of_nobody_ends_for_good_and_leads_nowhere(stranger: Client) -> None:
    answer = stranger.get("/live", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.content) == (204, b"")
